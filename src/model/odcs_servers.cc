#include "model/odcs.h"

namespace weft::model::standards {
namespace {

using namespace shape;  // The tables below are made of its words.

constexpr Type kPort{.kinds = kIsInteger | kIsText};
constexpr Word kFileFormats[] = {{"parquet"}, {"delta"}, {"json"}, {"csv"}};
constexpr Type kFileFormat{.kinds = kIsText, .words = kFileFormats};
constexpr Word kJsonDelimiters[] = {{"new_line"}, {"array"}};
constexpr Type kJsonDelimiter{.kinds = kIsText, .words = kJsonDelimiters};
constexpr Pattern kSftpLocations[] = {{0, "(?s)sftp://.*", "an sftp:// URL"}};
constexpr Type kSftpLocation{.kinds = kIsText, .patterns = kSftpLocations};

constexpr Key kApiKeys[] = {
    {"location", &kText, kRequired},
};
constexpr Shape kApi{"a server of type api", kApiKeys};

constexpr Key kAthenaKeys[] = {
    {"stagingDir", &kText, kRequired, 0, kV32},
    {"stagingDir", &kText, false, kV32},
    {"schema", &kText, kRequired},
    {"catalog", &kText},
    {"regionName", &kText},
    {"workgroup", &kText, false, kV32},
};
constexpr Shape kAthena{"a server of type athena", kAthenaKeys};

constexpr Key kAzureKeys[] = {
    {"location", &kText, kRequired},
    {"format", &kFileFormat, kRequired, 0, kV31},
    {"format", &kText, kRequired, kV31},
    {"encoding", &kText, false, kV32},
    {"delimiter", &kJsonDelimiter, false, 0, kV31},
    {"delimiter", &kText, false, kV31},
};
constexpr Shape kAzure{"a server of type azure", kAzureKeys};

constexpr Key kBigQueryKeys[] = {
    {"project", &kText, kRequired},
    {"dataset", &kText, kRequired},
};
constexpr Shape kBigQuery{"a server of type bigquery", kBigQueryKeys};

constexpr Key kClickHouseKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kClickHouse{"a server of type clickhouse", kClickHouseKeys};

constexpr Key kDatabricksKeys[] = {
    {"host", &kText},
    {"catalog", &kText, kRequired},
    {"schema", &kText, kRequired},
};
constexpr Shape kDatabricks{"a server of type databricks", kDatabricksKeys};

constexpr Key kDenodoKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"database", &kText},
};
constexpr Shape kDenodo{"a server of type denodo", kDenodoKeys};

constexpr Key kDremioKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"schema", &kText},
};
constexpr Shape kDremio{"a server of type dremio", kDremioKeys};

constexpr Key kDuckdbKeys[] = {
    {"database", &kText, kRequired},
    {"schema", &kInteger, false, 0, kV31},
    {"schema", &kText, false, kV31},
};
constexpr Shape kDuckdb{"a server of type duckdb", kDuckdbKeys};

constexpr Key kExasolKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kPort},
    {"schema", &kText},
};
constexpr Shape kExasol{"a server of type exasol", kExasolKeys};

constexpr Key kGlueKeys[] = {
    {"account", &kText, kRequired},    {"database", &kText, kRequired}, {"location", &kText}, {"format", &kText},
    {"encoding", &kText, false, kV32},
};
constexpr Shape kGlue{"a server of type glue", kGlueKeys};

constexpr Key kCloudSqlKeys[] = {
    {"host", &kText, kRequired},     {"port", &kInteger, kRequired, 0, kV32}, {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired}, {"schema", &kText, kRequired},
};
constexpr Shape kCloudSql{"a server of type cloudsql", kCloudSqlKeys};

constexpr Key kDb2Keys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired},
    {"schema", &kText},
};
constexpr Shape kDb2{"a server of type db2", kDb2Keys};

constexpr Key kHiveKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, false, 0, kV32},
    {"port", &kPort, false, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kHive{"a server of type hive", kHiveKeys};

constexpr Key kImpalaKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, false, 0, kV32},
    {"port", &kPort, false, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kImpala{"a server of type impala", kImpalaKeys};

constexpr Key kInformixKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, false, 0, kV32},
    {"port", &kPort, false, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kInformix{"a server of type informix", kInformixKeys};

constexpr Key kIngresKeys[] = {
    {"database", &kText, kRequired},
    {"host", &kText, kRequired},
    {"port", &kPort},
};
constexpr Shape kIngres{"a server of type ingres", kIngresKeys};

constexpr Key kZenKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, false, 0, kV32},
    {"port", &kPort, false, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kZen{"a server of type btrieve or zen", kZenKeys};

constexpr Key kCustomKeys[] = {
    {"account", &kText},
    {"catalog", &kText},
    {"database", &kText},
    {"dataset", &kText},
    {"delimiter", &kText},
    {"endpointUrl", &kText},
    {"format", &kText},
    {"encoding", &kText, false, kV32},
    {"host", &kText},
    {"location", &kText},
    {"path", &kText},
    {"port", &kInteger, false, 0, kV32},
    {"port", &kPort, false, kV32},
    {"project", &kText},
    {"region", &kText},
    {"regionName", &kText},
    {"schema", &kText},
    {"serviceName", &kText},
    {"stagingDir", &kText},
    {"warehouse", &kText},
    {"stream", &kText, false, kV31},
};
constexpr Shape kCustom{"a server of type custom", kCustomKeys};

constexpr Key kKafkaKeys[] = {
    {"host", &kText, kRequired},
    {"format", &kText},
    {"encoding", &kText, false, kV32},
};
constexpr Shape kKafka{"a server of type kafka", kKafkaKeys};

constexpr Key kKinesisKeys[] = {
    {"region", &kText},
    {"format", &kText},
    {"encoding", &kText, false, kV32},
};
constexpr Shape kKinesis{"a server of type kinesis", kKinesisKeys};

constexpr Key kLocalKeys[] = {
    {"path", &kText, kRequired},
    {"format", &kText, kRequired},
    {"encoding", &kText, false, kV32},
};
constexpr Shape kLocal{"a server of type local", kLocalKeys};

constexpr Key kMySqlKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kMySql{"a server of type mysql", kMySqlKeys};

constexpr Key kOracleKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"serviceName", &kText, kRequired},
};
constexpr Shape kOracle{"a server of type oracle", kOracleKeys};

constexpr Key kPoetKeys[] = {
    {"database", &kText, kRequired},
    {"host", &kText},
    {"port", &kPort},
};
constexpr Shape kPoet{"a server of type fastobjects or poet", kPoetKeys};

constexpr Key kPostgresKeys[] = {
    {"host", &kText, kRequired},     {"port", &kInteger, kRequired, 0, kV32}, {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired}, {"schema", &kText, kRequired},
};
constexpr Shape kPostgres{"a server of type postgresql or postgres", kPostgresKeys};

constexpr Key kHanaKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kPort},
    {"database", &kText},
    {"schema", &kText},
};
constexpr Shape kHana{"a server of type hana", kHanaKeys};

constexpr Key kIcebergKeys[] = {
    {"catalog", &kText, kRequired},
    {"catalogUrl", &kText, kRequired},
    {"namespace", &kText},
    {"warehouse", &kText},
};
constexpr Shape kIceberg{"a server of type iceberg", kIcebergKeys};

constexpr Key kPrestoKeys[] = {
    {"host", &kText, kRequired},
    {"catalog", &kText},
    {"schema", &kText},
};
constexpr Shape kPresto{"a server of type presto", kPrestoKeys};

constexpr Key kPubSubKeys[] = {
    {"project", &kText, kRequired},
};
constexpr Shape kPubSub{"a server of type pubsub", kPubSubKeys};

constexpr Key kRedshiftKeys[] = {
    {"host", &kText},    {"database", &kText, kRequired}, {"schema", &kText, kRequired}, {"region", &kText},
    {"account", &kText},
};
constexpr Shape kRedshift{"a server of type redshift", kRedshiftKeys};

constexpr Key kS3Keys[] = {
    {"location", &kText, kRequired},          {"endpointUrl", &kText},
    {"format", &kFileFormat, false, 0, kV31}, {"format", &kText, false, kV31},
    {"encoding", &kText, false, kV32},        {"delimiter", &kJsonDelimiter, false, 0, kV31},
    {"delimiter", &kText, false, kV31},
};
constexpr Shape kS3{"a server of type s3", kS3Keys};

constexpr Key kSftpKeys[] = {
    {"location", &kSftpLocation, kRequired},
    {"format", &kFileFormat, false, 0, kV31},
    {"format", &kText, false, kV31},
    {"encoding", &kText, false, kV32},
    {"delimiter", &kJsonDelimiter, false, 0, kV31},
    {"delimiter", &kText, false, kV31},
};
constexpr Shape kSftp{"a server of type sftp", kSftpKeys};

constexpr Key kSnowflakeKeys[] = {
    {"host", &kText},
    {"port", &kInteger, false, 0, kV32},
    {"port", &kPort, false, kV32},
    {"account", &kText, kRequired},
    {"database", &kText, kRequired},
    {"schema", &kText, kRequired},
    {"warehouse", &kText},
};
constexpr Shape kSnowflake{"a server of type snowflake", kSnowflakeKeys};

constexpr Key kSqlserverKeys[] = {
    {"host", &kText, kRequired},     {"port", &kInteger, false, 0, kV32}, {"port", &kPort, false, kV32},
    {"database", &kText, kRequired}, {"schema", &kText, kRequired},
};
constexpr Shape kSqlserver{"a server of type sqlserver", kSqlserverKeys};

constexpr Key kSynapseKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kInteger, kRequired, 0, kV32},
    {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired},
};
constexpr Shape kSynapse{"a server of type synapse", kSynapseKeys};

constexpr Key kTeradataKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kPort},
    {"database", &kText},
};
constexpr Shape kTeradata{"a server of type teradata", kTeradataKeys};

constexpr Key kTrinoKeys[] = {
    {"host", &kText, kRequired},    {"port", &kInteger, kRequired, 0, kV32}, {"port", &kPort, kRequired, kV32},
    {"catalog", &kText, kRequired}, {"schema", &kText, kRequired},
};
constexpr Shape kTrino{"a server of type trino", kTrinoKeys};

constexpr Key kVectorwiseKeys[] = {
    {"database", &kText, kRequired},
    {"host", &kText, kRequired},
    {"port", &kPort},
};
constexpr Shape kVectorwise{"a server of type vectorwise", kVectorwiseKeys};

constexpr Key kVersantKeys[] = {
    {"database", &kText, kRequired},
    {"host", &kText},
    {"port", &kPort},
};
constexpr Shape kVersant{"a server of type versant", kVersantKeys};

constexpr Key kVerticaKeys[] = {
    {"host", &kText, kRequired},     {"port", &kInteger, kRequired, 0, kV32}, {"port", &kPort, kRequired, kV32},
    {"database", &kText, kRequired}, {"schema", &kText, kRequired},
};
constexpr Shape kVertica{"a server of type vertica", kVerticaKeys};

constexpr struct {
  std::string_view type;
  const Shape* shape;
} kShapes[] = {
    {"api", &kApi},
    {"athena", &kAthena},
    {"azure", &kAzure},
    {"bigquery", &kBigQuery},
    {"btrieve", &kZen},
    {"clickhouse", &kClickHouse},
    {"databricks", &kDatabricks},
    {"denodo", &kDenodo},
    {"dremio", &kDremio},
    {"duckdb", &kDuckdb},
    {"exasol", &kExasol},
    {"fastobjects", &kPoet},
    {"glue", &kGlue},
    {"hana", &kHana},
    {"cloudsql", &kCloudSql},
    {"db2", &kDb2},
    {"hive", &kHive},
    {"iceberg", &kIceberg},
    {"impala", &kImpala},
    {"informix", &kInformix},
    {"ingres", &kIngres},
    {"kafka", &kKafka},
    {"kinesis", &kKinesis},
    {"local", &kLocal},
    {"mysql", &kMySql},
    {"oracle", &kOracle},
    {"poet", &kPoet},
    {"postgresql", &kPostgres},
    {"postgres", &kPostgres},
    {"presto", &kPresto},
    {"pubsub", &kPubSub},
    {"redshift", &kRedshift},
    {"s3", &kS3},
    {"sftp", &kSftp},
    {"snowflake", &kSnowflake},
    {"sqlserver", &kSqlserver},
    {"synapse", &kSynapse},
    {"teradata", &kTeradata},
    {"trino", &kTrino},
    {"vectorwise", &kVectorwise},
    {"versant", &kVersant},
    {"vertica", &kVertica},
    {"zen", &kZen},
    {"custom", &kCustom},
};

constexpr Word kTypes[] = {{"api"},
                           {"athena"},
                           {"azure"},
                           {"bigquery"},
                           {"btrieve", kV32},
                           {"clickhouse"},
                           {"databricks"},
                           {"denodo"},
                           {"dremio"},
                           {"duckdb"},
                           {"exasol", kV32},
                           {"fastobjects", kV32},
                           {"glue"},
                           {"hana", kV32},
                           {"cloudsql"},
                           {"db2"},
                           {"hive", kV31},
                           {"iceberg", kV32},
                           {"impala", kV31},
                           {"informix"},
                           {"ingres", kV32},
                           {"kafka"},
                           {"kinesis"},
                           {"local"},
                           {"mysql"},
                           {"oracle"},
                           {"poet", kV32},
                           {"postgresql"},
                           {"postgres"},
                           {"presto"},
                           {"pubsub"},
                           {"redshift"},
                           {"s3"},
                           {"sftp"},
                           {"snowflake"},
                           {"sqlserver"},
                           {"synapse"},
                           {"teradata", kV32},
                           {"trino"},
                           {"vectorwise", kV32},
                           {"versant", kV32},
                           {"vertica"},
                           {"zen", kV31},
                           {"custom"}};

}  // namespace

constexpr Type kServerType{.kinds = kIsText, .words = kTypes};

void AlsoServer(const yaml::Node& map, int, std::vector<const Shape*>& shapes) {
  for (const auto& [type, shape] : kShapes) {
    if (map["type"].kind == yaml::Node::Kind::kText && map["type"].scalar == type) shapes.push_back(shape);
  }
}

}  // namespace weft::model::standards
