#include "apps/weft/settings.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"

namespace weft::app {
namespace {

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / NewId("settings");
    fs::create_directories(folder_);
    variables_["HOME"] = folder_;
  }
  void TearDown() override { fs::remove_all(folder_); }
  Result<Settings> Read(const Settings::Flags& flags = {}) {
    return Settings::Read(flags, [this](const char* name) -> const char* {
      auto found = variables_.find(name);
      return found == variables_.end() ? nullptr : found->second.c_str();
    });
  }
  std::string Write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(folder_ / name, text));
    return folder_ / name;
  }

  fs::path folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(SettingsTest, DefaultsFollowTheDataFolder) {
  Settings settings = Read().TakeValue();
  const std::string data = folder_ / ".local/share/weft";
  EXPECT_EQ(settings.Text("data"), data);
  EXPECT_EQ(settings.Text("store"), "sqlite:" + data + "/weft.db");
  EXPECT_EQ(settings.Text("warehouse"), data + "/warehouse");
  EXPECT_EQ(settings.Int("http-port"), 7470);
  EXPECT_EQ(settings.Int("query-memory"), 512'000'000);
  EXPECT_EQ(settings.Duration("query-timeout"), Millis(60'000));
  EXPECT_FALSE(settings.Flag("log-json"));
  EXPECT_NEAR(static_cast<double>(settings.Int("memory")), 0.6 * static_cast<double>(UsableMemory()), 1);
  variables_["XDG_DATA_HOME"] = folder_ / "share";
  EXPECT_EQ(Read()->Text("data"), folder_ / "share/weft");
}

TEST_F(SettingsTest, FlagWinsOverEnvironmentOverFileOverDefault) {
  const std::string file = Write("x.yaml", "http-port: 1\nflight-port: 2\nlog-level: warn\nsource-roots: [/a, /b]\n");
  variables_["WEFT_HTTP_PORT"] = "3";
  variables_["WEFT_FLIGHT_PORT"] = "4";
  Settings settings = Read({{"config", file}, {"http-port", "5"}}).TakeValue();
  EXPECT_EQ(settings.Int("http-port"), 5);
  EXPECT_EQ(settings.Origin("http-port"), "--http-port");
  EXPECT_EQ(settings.Int("flight-port"), 4);
  EXPECT_EQ(settings.Origin("flight-port"), "WEFT_FLIGHT_PORT");
  EXPECT_EQ(settings.Text("log-level"), "warn");
  EXPECT_EQ(settings.Origin("log-level"), file + ":3:1");
  EXPECT_EQ(settings.List("source-roots"), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(settings.Origin("listen"), "default");
  variables_["WEFT_SOURCE_ROOTS"] = "/c:/d";
  EXPECT_EQ(Read({{"config", file}})->List("source-roots"), (std::vector<std::string>{"/c", "/d"}));
  EXPECT_EQ(Read({{"source-roots", "/e"}, {"source-roots", "/f:g"}})->List("source-roots"),
            (std::vector<std::string>{"/e", "/f:g"}));
}

TEST_F(SettingsTest, TheFileOfTheDataFolderIsRead) {
  Write("weft.yaml", "log-json: true\n");
  EXPECT_TRUE(Read({{"data", folder_.string()}})->Flag("log-json"));
  Write("weft.yaml", "data: /elsewhere\n");
  EXPECT_FALSE(Read({{"data", folder_.string()}}));
}

TEST_F(SettingsTest, AllMistakesOfAFileAreToldWithTheirPlaces) {
  const std::string file =
      Write("x.yaml", "http-prot: 1\nquery-timeout: soon\nthreads: 2.5\nlisten: [a]\nlog-level: loud\n");
  auto read = Read({{"config", file}});
  ASSERT_FALSE(read);
  const auto& problems = read.error().problems;
  ASSERT_EQ(problems.size(), 5u);
  EXPECT_EQ(problems[0].Text(),
            file + ":1:1: http-prot: 'http-prot' is no setting; did you mean 'http-port'? [weft.settings]");
  EXPECT_EQ(problems[1].line, 2);
  EXPECT_EQ(problems[1].column, 16);
  EXPECT_NE(problems[1].message.find("'soon' is no duration"), std::string::npos);
  EXPECT_NE(problems[2].message.find("'2.5'"), std::string::npos);
  EXPECT_NE(problems[3].message.find("needs a text"), std::string::npos);
  EXPECT_NE(problems[4].message.find("'loud'"), std::string::npos);
}

TEST_F(SettingsTest, BadFlagsAndVariablesNameThemselves) {
  EXPECT_NE(Read({{"http-port", "70000"}}).error().message.find("--http-port: '70000'"), std::string::npos);
  EXPECT_NE(Read({{"http-prt", "1"}}).error().message.find("did you mean 'http-port'"), std::string::npos);
  variables_["WEFT_MEMORY"] = "120%";
  EXPECT_NE(Read().error().message.find("WEFT_MEMORY: '120%'"), std::string::npos);
  variables_.erase("WEFT_MEMORY");
  EXPECT_EQ(Read({{"config", "/none.yaml"}}).error().code, Code::kNotFound);
}

TEST_F(SettingsTest, ListeningBeyondLoopbackNeedsTls) {
  EXPECT_TRUE(CheckListening(*Read()));
  EXPECT_TRUE(CheckListening(*Read({{"listen", "::1"}})));
  auto open = CheckListening(*Read({{"listen", "0.0.0.0"}}));
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().message.find("0.0.0.0 (--listen)"), std::string::npos) << open.error().message;
  EXPECT_FALSE(CheckListening(*Read({{"tls-key", "a"}})));
  EXPECT_TRUE(CheckListening(*Read({{"listen", "0.0.0.0"}, {"tls-key", "a"}, {"tls-certificate", "b"}})));
}

TEST(Measures, AreReadByTheirUnits) {
  EXPECT_EQ(*ParseBytes("4096"), 4096);
  EXPECT_EQ(*ParseBytes("1.5GB"), 1'500'000'000);
  EXPECT_EQ(*ParseBytes("2 MiB"), 2 << 20);
  EXPECT_EQ(*ParseDuration("250ms"), Millis(250));
  EXPECT_EQ(*ParseDuration("7d"), Millis(7 * 86'400'000));
  for (const char* bad : {"", "-1MB", "MB", "1XB", "nan", "inf", "1e30"}) EXPECT_FALSE(ParseBytes(bad)) << bad;
  for (const char* bad : {"", "5", "-5s", "5 weeks"}) EXPECT_FALSE(ParseDuration(bad)) << bad;
}

TEST(SettingsTable, IsDocumentedAsItIs) {
  auto written = ReadFile(fs::path(WEFT_SOURCE_DIR) / "docs/settings.md");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*written, SettingsMarkdown()) << "write it anew: weft settings --markdown > docs/settings.md";
}

}  // namespace
}  // namespace weft::app
