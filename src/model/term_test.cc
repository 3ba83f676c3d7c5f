#include "model/term.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace weft::model {
namespace {

constexpr std::string_view kTerms = R"(terms:
  - name: on-time
    definition: Not later than 15 minutes after the published time.
    synonyms: [punctual]
    owner: group:ops
    related: [delay]
    examples: [a flight that leaves at 10:12 and was due at 10:00]
  - {name: delay, definition: Minutes after the published time.}
)";

std::string Faults(std::string_view text) {
  auto parsed = TermFile::Parse(text, "terms/all.yaml");
  if (parsed) {
    auto terms = Terms::Of({parsed.TakeValue()});
    if (terms) return "";
    std::string faults;
    for (const Problem& problem : terms.error().problems) faults += problem.Text() + "\n";
    return faults;
  }
  std::string faults;
  for (const Problem& problem : parsed.error().problems) faults += problem.Text() + "\n";
  return faults;
}

Bundle BundleWith(const std::string& custom) {
  Bundle bundle;
  bundle.contracts.push_back(
      Contract::Parse("apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n"
                      "  - name: flights\n    properties:\n      - {name: carrier, logicalType: string}\n"
                      "      - {name: late, logicalType: integer, customProperties: [" +
                          custom + "]}\n",
                      "flights.odcs.yaml")
          .value());
  return bundle;
}

TEST(Terms, AreReadWithTheirPlaces) {
  const auto terms = Terms::Of({TermFile::Parse(kTerms, "terms/all.yaml").value()}).value();
  const Term* term = terms->Find("on-time");
  ASSERT_TRUE(term);
  EXPECT_EQ(term->Where(), "terms/all.yaml:2");
  EXPECT_EQ(term->synonyms, std::vector<std::string>{"punctual"});
  EXPECT_EQ(term->related, std::vector<std::string>{"delay"});
  EXPECT_EQ(terms->Find("punctual"), nullptr);
}

TEST(Terms, AreJudged) {
  EXPECT_NE(Faults("terms: [{name: On Time, definition: x}]").find("terms/all.yaml:1:"), std::string::npos);
  EXPECT_NE(Faults("terms: [{name: a}]").find("definition"), std::string::npos);
  EXPECT_NE(Faults("terms: [{name: a, definition: x, synonym: [b]}]").find("did you mean 'synonyms'"),
            std::string::npos);
  EXPECT_NE(
      Faults("terms: [{name: a, definition: x}, {name: a, definition: y}]").find("stands in terms/all.yaml:1 too"),
      std::string::npos);
  EXPECT_NE(Faults("terms: [{name: delay, definition: x, related: [dellay]}]").find("did you mean 'delay'"),
            std::string::npos);
}

TEST(Terms, AreNamedByColumns) {
  const auto terms = Terms::Of({TermFile::Parse(kTerms, "terms/all.yaml").value()}).value();
  const Bundle right = BundleWith("{property: term, vendor: weft, value: delay}");
  EXPECT_TRUE(terms->Judge(right).empty());
  const std::vector<TermUse> uses = TermsOf(right.contracts[0]);
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].term + " " + uses[0].column, "delay late");
  EXPECT_TRUE(TermsOf(BundleWith("{property: term, vendor: others, value: x}").contracts[0]).empty());
  EXPECT_EQ(TermsOf(BundleWith("{property: weft.term, value: [delay, on-time]}").contracts[0]).size(), 2u);
  const std::vector<Problem> problems = terms->Judge(BundleWith("{property: term, vendor: weft, value: dealy}"));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(
      problems[0].Text(),
      "flights.odcs.yaml:10:9: schema[0].properties[1]: the column 'late' means 'dealy', a term that terms/*.yaml "
      "do not have; did you mean 'delay'? [weft.term]");
}

}  // namespace
}  // namespace weft::model
