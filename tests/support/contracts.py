"""Random contracts: valid ODCS, of all that a contract may say."""
import random

TYPES = [("string", "varchar"), ("string", None), ("string", "text"), ("string", "char(3)"), ("string", "uuid"), ("string", "binary"),
         ("integer", None), ("integer", "int"), ("integer", "bigint"), ("integer", "long"), ("integer", "smallint"), ("integer", "decimal(18,0)"),
         ("number", None), ("number", "double"), ("number", "float"), ("number", "decimal(18,2)"), ("number", "numeric(5,4)"), ("number", "number(9,3)"),
         ("number", "Decimal (10, 2)"), ("boolean", None), ("boolean", "bool"), ("date", None), ("date", "date"), ("time", "time"),
         ("timestamp", None), ("timestamp", "timestamp"), ("timestamp", "timestamptz"), ("timestamp", "timestamp_tz"), (None, "bigint"), (None, "varchar(10)")]
WORDS = ["orders", "the 'best' one", "yes", "1", "ümlaut – dash", "a: b", "two\nlines", "two\nlines\n", " leading", "#5", "null", "true", "x, y", "{z}", "- item"]


class Maker:
    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def some(self, chance: float) -> bool:
        return self.random.random() < chance

    def word(self) -> str:
        return self.random.choice(WORDS)

    def maybe(self, target: dict, key: str, make, chance: float = 0.3):
        if self.some(chance):
            target[key] = make()

    def custom(self) -> list:
        made, names = [], ["unit", "steward", "x-id", "tier"]
        for name in self.random.sample(names, self.random.randint(1, 3)):
            one = {"property": name, "value": self.random.choice([1, 2.5, "text", True, ["a", 1], {"a": {"b": 1}}])}
            if self.some(0.2):
                one["vendor"] = self.random.choice(["acme", "datacontract"])
            if self.some(0.1):
                one["description"] = "said"
            made.append(one)
        return made

    def rule(self, column: bool) -> dict:
        kind = self.random.randint(0, 2 if column else 3)
        rule = [lambda: {"type": "library", "metric": "nullValues" if column else "rowCount", "mustBeLessOrEqualTo": 5, "unit": "rows"},
                lambda: {"type": "sql", "query": "SELECT count(*) FROM ${object}" + (" WHERE ${property} IS NULL" if column else ""), "mustBeGreaterThan": 0},
                lambda: {"type": "text", "description": self.word()},
                lambda: {"metric": "rowCount", "mustBeBetween": [1, 99]}][kind]()
        self.maybe(rule, "id", lambda: f"r{self.random.randint(1, 10 ** 6)}")
        self.maybe(rule, "severity", lambda: "warning")
        self.maybe(rule, "dimension", lambda: "accuracy")
        return rule

    def property(self, name, depth: int) -> dict:
        logical, physical = self.random.choice(TYPES)
        made = {"name": name} if name else {}
        self.maybe(made, "id", lambda: f"c_{self.random.randint(1, 10 ** 9)}")
        nested = self.random.random() if depth < 3 else 1
        if nested < 0.06:
            made |= {"logicalType": "object", "properties": [self.property(f"f{i}", depth + 1) for i in range(self.random.randint(1, 3))]}
            self.maybe(made, "physicalType", lambda: self.random.choice(["struct", "record"]))
        elif nested < 0.12:
            made |= {"logicalType": "array", "items": self.property(None, depth + 1)}
        elif nested < 0.16:
            made |= {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": self.property(None, depth + 1)}}
        else:
            if logical:
                made["logicalType"] = logical
            if physical:
                made["physicalType"] = physical
        options = {}
        if logical == "string" and physical != "binary" and nested >= 0.16:
            self.maybe(options, "minLength", lambda: 1)
            self.maybe(options, "pattern", lambda: "^[A-Z]{2}: '\\d'$")
            self.maybe(options, "format", lambda: "email", 0.1)
        if logical in ("integer", "number") and nested >= 0.16:
            self.maybe(options, "minimum", lambda: self.random.choice([0, -5]))
            self.maybe(options, "exclusiveMaximum", lambda: 1e6)
            self.maybe(options, "multipleOf", lambda: 5, 0.1)
        if logical == "date" and nested >= 0.16:
            self.maybe(options, "minimum", lambda: "2020-01-01")
        if logical == "timestamp" and physical in (None, "timestamptz") and nested >= 0.16:
            self.maybe(options, "timezone", lambda: True)
        if options:
            made["logicalTypeOptions"] = options
        if logical == "string" and physical != "binary" and nested >= 0.16:
            self.maybe(made, "enum", lambda: [{"value": word} for word in ("A", "B")], 0.1)
            self.maybe(made, "enum", lambda: [{"value": "A", "label": "first"}], 0.05)
        if logical == "integer" and nested >= 0.16:
            self.maybe(made, "enum", lambda: [{"value": 1}, {"value": 2}], 0.1)
        for key, make in (("description", self.word), ("businessName", self.word), ("required", lambda: self.some(0.8)), ("unique", lambda: self.some(0.8)),
                          ("classification", lambda: "restricted"), ("tags", lambda: self.random.sample(["pii", "key", "x"], 2)), ("examples", lambda: ["a", 1, None, {"b": 2}]),
                          ("physicalName", self.word), ("criticalDataElement", lambda: True), ("encryptedName", lambda: "e"), ("transformLogic", self.word),
                          ("customProperties", self.custom), ("authoritativeDefinitions", lambda: [{"type": "doc", "url": "https://a.example"}])):
            self.maybe(made, key, make, 0.12)
        if depth == 1 and nested >= 0.16:
            self.maybe(made, "quality", lambda: [self.rule(True) for _ in range(self.random.randint(1, 2))], 0.15)
            self.maybe(made, "relationships", lambda: [{"type": "foreignKey", "to": "customers.id"}], 0.1)
            self.maybe(made, "relationships", lambda: [{"to": "customers.id"}, {"type": "foreignKey", "to": "sales.shop.stores.id"}], 0.03)
        return made

    def contract(self) -> dict:
        columns = [self.property(f"c{i}", 1) for i in range(self.random.randint(1, 8))]
        for position, column in enumerate(self.random.sample(columns, self.random.randint(0, min(2, len(columns))))):
            column["primaryKey"] = True
            if self.some(0.8):
                column["primaryKeyPosition"] = position + 1
        table = {"name": self.random.choice(["orders", "order_lines", "Orders 2"]), "properties": columns}
        for key, make in (("id", lambda: "t1"), ("physicalType", lambda: self.random.choice(["table", "view", "topic"])), ("logicalType", lambda: "object"),
                          ("description", self.word), ("businessName", self.word), ("tags", lambda: ["fact"]), ("dataGranularityDescription", self.word),
                          ("quality", lambda: [self.rule(False) for _ in range(self.random.randint(1, 3))]), ("customProperties", self.custom), ("physicalName", self.word)):
            self.maybe(table, key, make)
        made = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": self.random.choice(["orders", "urn:x:1"]), "version": f"{self.random.randint(0, 9)}.{self.random.randint(0, 9)}.0"}
        team = {"name": "Shop"} | ({"description": "Us.", "members": [{"username": "ana", "role": "owner"}]} if self.some(0.3) else {})
        levels = [{"property": "latency", "value": 4, "unit": "h", "element": "orders.c0"}, {"property": "retention", "value": 1, "unit": "year"},
                  {"property": "availability", "value": 99.9, "unit": "percent", "description": "Up."}, {"property": "frequency", "value": "daily", "scheduler": "cron", "schedule": "0 0 * * *"},
                  {"property": "throughput", "value": 10}, {"property": "retention", "value": "P1Y6M", "driver": "regulatory"}, {"property": "freshness", "value": 30}]
        for key, make in (("name", self.word), ("status", lambda: self.random.choice(["draft", "active"])), ("domain", lambda: "sales"), ("dataProduct", lambda: "shop"),
                          ("tenant", lambda: "acme"), ("tags", lambda: ["a", "b"]), ("customProperties", self.custom), ("team", lambda: team),
                          ("description", lambda: {"purpose": self.word(), "usage": self.word(), "limitations": "none"} | ({"customProperties": self.custom()} if self.some(0.3) else {})),
                          ("servers", lambda: [{"server": "p", "type": "postgres", "host": "h", "port": 5432, "database": "d", "schema": "s", "environment": "prod"}, {"server": "f", "type": "local", "path": "a.csv", "format": "csv", "id": "f1"}]),
                          ("support", lambda: [{"channel": "#orders", "url": "https://chat.example"}, {"channel": "a@b.example", "tool": "email", "url": "mailto:a@b.example"}, {"channel": "phone", "description": "By day."}]),
                          ("slaProperties", lambda: self.random.sample(levels, 3)), ("price", lambda: {"priceAmount": 1, "priceCurrency": "EUR"}),
                          ("roles", lambda: [{"role": "reader", "access": "read"}]), ("authoritativeDefinitions", lambda: [{"type": "doc", "url": "https://a.example"}]),
                          ("contractCreatedTs", lambda: "2026-01-01T00:00:00Z"), ("slaDefaultElement", lambda: "orders.c0")):
            self.maybe(made, key, make, 0.35)
        made["schema"] = [table]
        return made
