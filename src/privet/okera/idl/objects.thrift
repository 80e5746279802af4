// What the catalog holds: databases, tables, roles, privileges, connections, crawlers.
// The field numbers and types are those that the published client pyokera 2.9.0 speaks.

include "schema.thrift"

enum TAccessPermissionLevel {
  ALL = 0
  ALTER = 1
  CREATE = 2
  CREATE_AS_OWNER = 3
  INSERT = 4
  SELECT = 5
  SHOW = 6
  ADD_ATTRIBUTE = 7
  REMOVE_ATTRIBUTE = 8
  VIEW_AUDIT = 9
  VIEW_COMPLETE_METADATA = 10
  DELETE = 11
  UPDATE = 12
  DROP = 13
  CREATE_ROLE_AS_OWNER = 14
  MANAGE_GRANTS = 15
  MANAGE_PERMISSIONS = 16
  MANAGE_GROUPS = 17
  CREATE_CRAWLER_AS_OWNER = 18
  CREATE_DATACONNECTION_AS_OWNER = 19
  USE = 20
}

struct TDatabase {
  1: optional list<string> name
  2: optional map<string, string> metadata
  3: optional list<schema.TAttributeValue> attribute_values
  4: optional string location
  5: optional string description
  6: optional i64 datasets_count
  7: optional list<TAccessPermissionLevel> access_levels
  8: optional bool has_grant
  9: optional bool is_datasets_count_estimated
}

struct TSortColOrder {
  1: optional string col
  2: optional i32 order
}

struct TTable {
  1: required string name
  2: optional string owner
  3: optional schema.TSchema schema
  4: optional string description
  5: optional i64 created_time_unix_epoch
  6: optional string primary_storage
  7: optional i64 last_ddl_time_unix_epoch
  8: optional string view_string
  9: optional list<string> db
  10: optional string location
  11: optional string loading_error_msg
  12: optional string table_format
  13: optional map<string, string> metadata
  14: optional map<string, string> serde_metadata
  15: optional list<string> cluster_by_cols
  16: optional i32 num_buckets
  17: optional list<schema.TAttributeValue> attribute_values
  18: optional bool direct_access
  19: optional string serialization_lib
  20: optional string input_format
  21: optional string output_format
  22: optional bool compressed
  23: optional list<TSortColOrder> sort_cols
  24: optional string view_expanded_text
}

struct TPartition {
  1: required list<string> partition_values
  2: optional string location
}

enum TAccessPermissionScope {
  SERVER = 0
  URI = 1
  DATABASE = 2
  TABLE = 3
  COLUMN = 4
  ATTRIBUTE_NAMESPACE = 5
  ROLE = 6
  CRAWLER = 7
  DATACONNECTION = 8
}

enum TPrivilegeType {
  GRANT = 0
  RESTRICT = 1
}

enum TExprType {
  LITERAL = 0
  OPERATOR = 1
  FUNCTION = 2
  ATTRIBUTE = 3
  COLUMN = 4
}

enum TExprNodeType {
  BOOL_LITERAL = 0
  CASE_EXPR = 1
  COMPOUND_PRED = 2
  FLOAT_LITERAL = 3
  INT_LITERAL = 4
  NULL_LITERAL = 5
  SLOT_REF = 6
  STRING_LITERAL = 7
  TUPLE_IS_NULL_PRED = 8
  FUNCTION_CALL = 9
  AGGREGATE_EXPR = 10
  DECIMAL_LITERAL = 11
  IS_NOT_EMPTY_PRED = 12
  TIMESTAMP_LITERAL = 13
  DATE_LITERAL = 14
  ARRAY_LITERAL = 15
}

struct TExprNode {
  1: optional TExprType type
  2: required string sql
  3: optional i32 num_children
  4: optional TExprNodeType node_type
}

struct TExprTree {
  1: required list<TExprNode> nodes
}

struct TTransformExpr {
  1: required TExprTree expr
  2: required TExprTree fn
}

struct TPrivilege {
  1: required string privilege_name
  2: required TAccessPermissionLevel privilege_level
  3: required TAccessPermissionScope scope
  4: required bool has_grant_opt
  5: optional i32 role_id
  6: optional string server_name
  7: optional string db_name
  8: optional string table_name
  9: optional string uri
  10: optional i64 create_time_ms
  11: optional string column_name
  12: optional string attribute_expression
  13: optional string transform_expression
  14: optional string filter
  15: optional string attribute_namespace
  16: optional string role
  17: optional string crawler
  18: optional map<string, string> props
  19: optional TPrivilegeType privilege_type
  20: optional string data_connection
  21: optional TExprTree attribute_expression_tree
  22: optional list<TTransformExpr> transform_expressions
  23: optional TExprTree filter_expression_tree
  24: optional string privilege_id
}

struct TRole {
  1: required string role_name
  2: required i32 role_id
  3: required list<string> grant_groups
  4: optional list<TPrivilege> privileges
  5: optional list<TAccessPermissionLevel> access_levels
  6: optional bool is_user_role
}

struct TRoleAttributeExpression {
  1: required string role_name
  2: required string expression
}

struct TAccessPermission {
  1: required list<string> users_or_groups
  2: required list<string> roles
  3: required TAccessPermissionLevel level
  4: required bool has_grant
  5: required string database
  6: required string table
  7: required TAccessPermissionScope scope
  8: optional list<string> projection
  9: optional list<TRoleAttributeExpression> attribute_expression
}

struct TDataRegConnection {
  1: required string name
  2: optional string type
  3: optional string data_source_path
  4: optional string jdbc_driver
  5: optional string host
  6: optional i32 port
  7: optional string user_name
  8: optional string password
  9: optional string default_catalog
  10: optional string default_schema
  11: optional map<string, string> connection_properties
  12: optional bool is_active
  13: optional string created_by
  14: optional i64 created_at
  15: optional string updated_by
  16: optional i64 updated_at
  17: optional string user_key
  18: optional string password_key
  19: optional string test_status
  20: optional string test_error_details
  21: optional i64 tested_at
  22: optional list<TAccessPermissionLevel> access_levels
}

struct TDataRegCrawlDataset {
  1: required TDataRegConnection connection
  2: required string target_db
  3: optional string data_source_path
  4: optional string jdbc_catalog
  5: optional string jdbc_schema
  6: optional string jdbc_table
  7: optional string status
  8: optional string error_message
  9: optional string error_details
  10: optional bool is_active
  11: optional string created_by
  12: optional i64 created_at
  13: optional string updated_by
  14: optional i64 updated_at
}

struct TJDBCDataset {
  1: required string jdbc_catalog
  2: optional string jdbc_schema
  3: optional string jdbc_table
  4: optional schema.TSchema schema
}

struct TCrawlerDiscoveryDataset {
  1: required TDataRegConnection connection
  2: optional list<string> data_source_paths
  3: optional list<TJDBCDataset> jdbc_datasets
}

struct TOkeraCatalog {
  1: required string name
  2: optional map<TAccessPermissionScope, list<TAccessPermissionLevel>> access_levels
  3: optional bool has_grant
}

struct TUdf {
  1: required string database
  2: required string fn_signature
  3: required string class_name
  4: optional list<string> resource_uris
}

struct TFileDesc {
  1: required string path
  2: required bool is_directory
  3: optional i64 modified_time_ms
  4: optional i64 len
}

struct THistoryEvent {
  1: required i64 timestamp_ms
  2: required string user
  3: required string operation
  4: optional string detail
}

struct TUserAttributeValue {
  1: required string value
  2: required string source
}

struct TRoleProvenance {
  1: required string role
  2: required list<string> provenance
}
