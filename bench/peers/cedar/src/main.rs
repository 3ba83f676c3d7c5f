//! The questions of decide_bench, asked of the Cedar crate: each port has a set of its own of the policies that are about
//! it, since Cedar asks every policy of a set; every rule is a permit, so that all which apply are told, and what they do
//! is put together here. Each answer is compared with Weft's before anything is measured.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

use cedar_policy::{Authorizer, Context, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet, Request, RestrictedExpression};
use serde_json::Value;

struct Rule {
    effect: String,
    mask: i64,
    columns: Vec<String>, // Of the port that are masked.
}

struct Port {
    policies: PolicySet,
    rules: HashMap<PolicyId, Rule>,
}

struct Question {
    port: usize,
    request: Request,
    entities: Entities,
    answer: Answer,
}

#[derive(Default, Debug, PartialEq)]
struct Answer {
    deny: BTreeSet<String>,
    allow: BTreeSet<String>,
    filter: BTreeSet<String>,
    mask: BTreeMap<String, i64>,
}

fn uid(kind: &str, name: &str) -> EntityUid {
    format!("{kind}::\"{name}\"").parse().expect("an entity")
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().map(|list| list.iter().map(|each| each.as_str().expect("a text").to_owned()).collect()).unwrap_or_default()
}

fn port_of(data: &Value, name: &str, keys: &[String]) -> Port {
    let mut port = Port { policies: PolicySet::new(), rules: HashMap::new() };
    for key in keys.iter().collect::<BTreeSet<_>>() {
        let Some(groups) = data["rules"][key].as_object() else { continue };
        for (group, list) in groups {
            for rule in list.as_array().expect("rules") {
                let who = if group == "*" { String::new() } else { format!(" in Group::\"{group}\"") };
                let when = rule["purpose"].as_str().map(|purpose| format!(" when {{ context.purpose == \"{purpose}\" }}")).unwrap_or_default();
                let id = PolicyId::new(rule["name"].as_str().expect("a name"));
                let text = format!("permit(principal{who}, action == Action::\"read\", resource){when};");
                port.policies.add(Policy::parse(Some(id.clone()), text).expect("a policy")).expect("a policy of its own name");
                let columns = rule["columns"].as_str().map(|tag| texts(&data["columns"][name][tag])).unwrap_or_default();
                let effect = rule["effect"].as_str().expect("an effect").to_owned();
                port.rules.insert(id, Rule { effect, mask: rule["mask"].as_i64().unwrap_or(0), columns });
            }
        }
    }
    port
}

fn ask(authorizer: &Authorizer, port: &Port, question: &Question) -> Answer {
    let response = authorizer.is_authorized(&question.request, &port.policies, &question.entities);
    let mut answer = Answer::default();
    for id in response.diagnostics().reason() {
        let rule = &port.rules[id];
        match rule.effect.as_str() {
            "deny" => drop(answer.deny.insert(id.to_string())),
            "allow" => drop(answer.allow.insert(id.to_string())),
            "filter" => drop(answer.filter.insert(id.to_string())),
            _ => {
                for column in &rule.columns {
                    let strongest = answer.mask.entry(column.clone()).or_insert(rule.mask);
                    *strongest = rule.mask.max(*strongest);
                }
            }
        }
    }
    answer
}

fn question_of(line: &Value, number: usize, port: usize) -> Question {
    let input = &line["input"];
    let user = uid("User", &number.to_string());
    let groups: HashSet<EntityUid> = texts(&input["groups"]).iter().filter(|group| *group != "*").map(|group| uid("Group", group)).collect();
    let mut entities: Vec<Entity> = groups.iter().map(|group| Entity::new(group.clone(), HashMap::new(), HashSet::new()).expect("a group")).collect();
    entities.push(Entity::new(user.clone(), HashMap::new(), groups).expect("a user"));
    let purpose = RestrictedExpression::new_string(input["purpose"].as_str().expect("a purpose").to_owned());
    let context = Context::from_pairs([("purpose".to_owned(), purpose)]).expect("a context");
    let resource = uid("Port", input["port"].as_str().expect("a port"));
    let answer = &line["answer"];
    let named = |key: &str| texts(&answer[key]).into_iter().collect();
    let mask = answer["mask"].as_object().expect("masks").iter().map(|(column, mask)| (column.clone(), mask.as_i64().expect("a mask"))).collect();
    Question {
        port,
        request: Request::new(user, uid("Action", "read"), resource, context, None).expect("a request"),
        entities: Entities::from_entities(entities, None).expect("entities"),
        answer: Answer { deny: named("deny"), allow: named("allow"), filter: named("filter"), mask },
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("the folder of the questions");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).expect("what decide_bench wrote");
    let data: Value = serde_json::from_str(&read("data.json")).expect("JSON");
    let mut ports: Vec<Port> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut questions: Vec<Question> = Vec::new();
    for (number, text) in read("questions.jsonl").lines().enumerate() {
        let line: Value = serde_json::from_str(text).expect("JSON");
        let name = line["input"]["port"].as_str().expect("a port").to_owned();
        let port = *known.entry(name.clone()).or_insert_with(|| {
            ports.push(port_of(&data, &name, &texts(&line["input"]["keys"])));
            ports.len() - 1
        });
        questions.push(question_of(&line, number, port));
    }
    let authorizer = Authorizer::new();
    for question in &questions {
        let answer = ask(&authorizer, &ports[question.port], question);
        assert_eq!(answer, question.answer, "another answer to {:?}", question.request);
    }
    let mut micros: Vec<f64> = Vec::new();
    let began = Instant::now();
    while began.elapsed().as_secs() < 5 {
        for question in &questions {
            let asked = Instant::now();
            std::hint::black_box(ask(&authorizer, &ports[question.port], question));
            micros.push(asked.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    micros.sort_by(f64::total_cmp);
    println!("decide.cedar.p50 us {:.4}", micros[micros.len() / 2]);
    println!("decide.cedar.p99 us {:.4}", micros[micros.len() * 99 / 100]);
    println!("decide.cedar.rate 1/s {:.6}", micros.len() as f64 / seconds);
}
