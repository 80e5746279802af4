// Requests about the catalog and their answers.
// The field numbers and types are those that the published client pyokera 2.9.0 speaks.

include "schema.thrift"
include "objects.thrift"

struct TAddRemovePartitionsParams {
  1: required bool add
  2: optional list<objects.TPartition> partitions
  3: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TAddRemovePartitionsResult {
  1: required i32 count
}

struct TAssignAttributesParams {
  1: required string requesting_user
  2: required list<schema.TAttributeValue> mappings
  3: optional bool if_not_exists
  4: optional bool cascade
  100: optional schema.TRequestContext ctx
}

struct TAssignAttributesResult {
  1: required list<schema.TAttributeValue> mappings
}

struct TAuditQueryParams {
  1: optional string requesting_user
  2: optional string query
  3: optional string client
  4: optional set<string> accessed_datasets
  5: optional string failure_message
  6: optional i64 start_unix_time_ms
  7: optional i64 end_unix_time_ms
  8: optional i64 records_returned
  9: optional i64 bytes_scanned
  10: optional i64 server_total_time_ms
  11: optional i64 queue_time_ms
  12: optional i64 planning_time_ms
  13: optional i64 execution_time_ms
  14: optional string rewritten_query
  15: optional string client_request_id
  100: optional schema.TRequestContext ctx
}

struct TAuditQueryResult {
}

struct TConfigChangeResult {
  1: optional i32 result
  2: optional list<string> warnings
}

enum TConfigType {
  AUTOTAGGER_REGEX = 0
  SYSTEM_CONFIG = 1
  PROCESS_TRANSIENT_CONFIG = 2
}

struct TConfigDeleteParams {
  1: required TConfigType config_type
  2: required list<string> key
  3: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TConfigUpsertParams {
  1: required TConfigType config_type
  2: optional list<string> key
  3: optional map<string, string> params
  4: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

enum TObjectOpType {
  CREATE = 0
  UPDATE = 1
  DELETE = 2
  GET = 3
  LIST = 4
  SEARCH = 5
  TEST_CREATE = 6
  TEST_EDIT = 7
  TEST_EXISTING = 8
}

struct TCrawlDatasetParams {
  1: required string requesting_user
  2: required TObjectOpType op_type
  3: required objects.TDataRegConnection connection
  4: optional list<objects.TDataRegCrawlDataset> crawl_datasets
  100: optional schema.TRequestContext ctx
}

struct TCrawlDatasetResult {
  1: optional list<objects.TDataRegCrawlDataset> crawl_datasets
  2: optional i32 count
}

enum TCrawlerOpType {
  CRAWL = 0
  RECRAWL = 1
  DISABLE = 2
  DISCOVER = 3
}

struct TCrawlerParams {
  1: required string requesting_user
  2: required TCrawlerOpType op_type
  3: required objects.TDataRegConnection connection
  4: optional list<objects.TDataRegCrawlDataset> crawl_datasets
  5: optional bool is_crawl_all
  6: optional bool is_asynchronous
  100: optional schema.TRequestContext ctx
}

enum TCrawlStatus {
  SUCCESS = 0
  FAILURE = 1
  CRAWLING = 2
}

struct TCrawlerResult {
  1: required TCrawlStatus status
  2: optional i32 count
}

struct TCreateAttributesParams {
  1: required list<schema.TAttribute> attributes
  2: required string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TCreateAttributesResult {
  1: required list<schema.TAttribute> attributes
}

struct TDataRegConnectionParams {
  1: required string requesting_user
  2: required TObjectOpType op_type
  3: required objects.TDataRegConnection connection
  4: optional list<string> connection_names
  5: optional string connection_pattern
  6: optional string jdbc_driver
  7: optional bool resolve_creds
  8: optional bool direct_credentials
  100: optional schema.TRequestContext ctx
}

struct TDataRegConnectionResult {
  1: required list<objects.TDataRegConnection> connections
  2: optional i32 count
}

struct TDeleteAttributesParams {
  1: required string requesting_user
  2: required list<schema.TAttribute> attributes
  3: optional bool cascade
  100: optional schema.TRequestContext ctx
}

struct TDeleteAttributesResult {
  1: required i32 delete_count
  2: required list<schema.TAttribute> attributes
}

struct TDiscoverCrawlerParams {
  1: optional string requesting_user
  2: required objects.TDataRegConnection connection
  3: optional string jdbc_catalog
  4: optional string jdbc_schema
  100: optional schema.TRequestContext ctx
}

struct TDiscoverCrawlerResult {
  1: required list<objects.TCrawlerDiscoveryDataset> crawler_discover_datasets
  2: optional i32 count
}

struct TEvalParams {
  1: required string sql
  100: optional schema.TRequestContext ctx
}

struct TEvalResult {
  1: optional string result
}

struct TExecDDLParams {
  1: required string ddl
  2: optional string requesting_user
  3: optional string defaultdb
  4: optional map<string, string> exec_ddl_options
  100: optional schema.TRequestContext ctx
}

struct TExecDDLResult {
  1: optional list<string> col_names
  2: optional list<list<string>> tabular_result
  3: optional string formatted_result
  4: optional list<schema.TLogMessage> warnings
}

struct TGetAccessPermissionsParams {
  1: required list<string> users_or_groups
  2: required string database
  3: optional string filter
  4: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TGetAccessPermissionsResult {
  1: required list<objects.TAccessPermission> permissions
  2: required list<bool> is_user_flags
}

struct TGetAttributeNamespacesParams {
  1: required string requesting_user
  2: optional bool editable_only
  100: optional schema.TRequestContext ctx
}

struct TGetAttributeNamespacesResult {
  1: required list<string> namespaces
}

struct TGetAttributesParams {
  1: required string requesting_user
  2: optional schema.TAttribute filter_attribute
  3: optional i32 offset
  4: optional i32 count
  5: optional bool editable_only
  100: optional schema.TRequestContext ctx
}

struct TGetAttributesResult {
  1: required list<schema.TAttribute> attributes
}

struct TGetAuthenticatedUserResult {
  1: required string user
  2: optional i64 expires_in_ms
}

enum TCatalogObjectType {
  ATTRIBUTE = 0
}

struct TGetCountParams {
  1: required string requesting_user
  2: required TCatalogObjectType object_type
  100: optional schema.TRequestContext ctx
}

struct TGetCountResult {
  1: required i32 total_count
  2: required bool is_total_count_estimated
}

struct TGetDatabasesParams {
  1: optional string filter
  2: optional string requesting_user
  3: optional list<string> db_names
  4: optional bool ignore_internal_dbs
  5: optional list<objects.TAccessPermissionLevel> access_levels
  100: optional schema.TRequestContext ctx
}

struct TGetDatabasesResult {
  1: required list<objects.TDatabase> databases
}

enum TAttributeMatchLevel {
  SERVER_ONLY = 0
  SERVER_PLUS = 1
  DATABASE_ONLY = 2
  DATABASE_PLUS = 3
  TABLE_ONLY = 4
  TABLE_PLUS = 5
  COLUMN_ONLY = 6
}

struct TGetDatasetsParams {
  1: optional string requesting_user
  2: optional list<string> databases
  3: optional list<objects.TAccessPermissionLevel> access_levels
  4: optional string filter
  5: optional bool with_schema
  6: optional set<string> groups_to_return_permissions_for
  7: optional i32 offset
  8: optional i32 count
  9: optional bool return_total
  10: optional list<string> dataset_names
  11: optional bool names_only
  13: optional i32 full_details_count
  14: optional schema.TAttributeValue attribute_value
  15: optional string client_request_id
  16: optional list<schema.TAttribute> attributes
  17: optional TAttributeMatchLevel attr_match_level
  18: optional string connection_name
  19: optional bool count_only
  100: optional schema.TRequestContext ctx
}

struct TGetDatasetsResult {
  1: required list<objects.TTable> datasets
  2: optional list<objects.TTable> failed_datasets
  3: optional list<set<string>> groups_with_access
  4: optional map<string, schema.TRecordServiceException> failed_databases
  5: optional list<bool> is_admin
  6: optional i32 total_count
  7: optional list<bool> is_public
}

struct TGetGrantableRolesParams {
  1: optional string requesting_user
  2: optional string database
  3: optional string table
  100: optional schema.TRequestContext ctx
}

struct TGetGrantableRolesResult {
  1: required list<string> roles
}

enum TInfoType {
  RESERVED_KEYWORDS = 0
}

struct TGetInfoParams {
  1: required TInfoType info
  100: optional schema.TRequestContext ctx
}

struct TGetInfoResult {
  1: optional string result_json
}

struct TGetPartitionNamesParams {
  1: required list<string> database
  2: required string table
  3: required i16 max_parts
  4: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TGetPartitionNamesResult {
  1: optional list<string> partition_names
}

struct TGetPartitionsParams {
  1: required list<string> database
  2: required string table
  3: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TGetPartitionsResult {
  1: optional list<objects.TPartition> partitions
}

struct TGetRegisteredObjectsParams {
  1: required string prefix_path
  2: optional string requesting_user
  3: optional bool include_views
  100: optional schema.TRequestContext ctx
}

struct TGetRegisteredObjectsResult {
  1: required map<string, set<string>> object_names
}

struct TGetRoleParams {
  1: required string role_name
  2: optional string requesting_user
  3: optional bool include_privilege_props
  4: optional bool include_role_history
  5: optional bool return_structured_exprs
  100: optional schema.TRequestContext ctx
}

struct TGetRoleProvenanceParams {
  1: optional string user
  100: optional schema.TRequestContext ctx
}

struct TGetRoleProvenanceResult {
  1: required string user
  2: required list<string> groups
  3: required list<objects.TRoleProvenance> roles
  4: optional set<string> groups_administered
  5: optional set<string> databases_administered
  6: optional set<string> editable_attribute_namespaces
  7: optional set<string> creatable_attribute_namespaces
}

struct TGetRoleResult {
  1: required objects.TRole role
  2: optional list<objects.THistoryEvent> history
}

struct TGetTablesParams {
  1: required list<string> database
  2: optional string name
  3: optional string filter
  4: optional string requesting_user
  5: optional list<objects.TAccessPermissionLevel> access_levels
  6: optional string client_request_id
  100: optional schema.TRequestContext ctx
}

struct TGetTablesResult {
  1: required list<objects.TTable> tables
}

struct TGetUdfsParams {
  1: optional list<string> databases
  2: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TGetUdfsResult {
  1: optional list<objects.TUdf> udfs
}

struct TGetUserAttributesParams {
  2: optional string requesting_user
  3: optional bool all_users
  4: optional string user
  100: optional schema.TRequestContext ctx
}

struct TGetUserAttributesResult {
  1: required map<string, map<string, objects.TUserAttributeValue>> attributes
}

struct TKvStoreGetParams {
  1: required string key
  100: optional schema.TRequestContext ctx
}

struct TKvStoreGetResult {
  1: optional string value
}

struct TKvStorePutParams {
  1: required string key
  2: optional string value
  100: optional schema.TRequestContext ctx
}

struct TKvStorePutResult {
}

struct TListCatalogsParams {
  1: optional string requesting_user
  100: optional schema.TRequestContext ctx
}

struct TListCatalogsResult {
  1: required list<objects.TOkeraCatalog> catalogs
}

struct TListDatabasesParams {
  1: optional string requesting_user
  2: optional list<string> db_names
  3: optional string db_name_pattern
  4: optional list<schema.TAttribute> attributes
  5: optional list<objects.TAccessPermissionLevel> access_levels
  6: optional list<objects.TSortColOrder> sorting_info
  7: optional bool ignore_internal_dbs
  8: optional i64 limit
  9: optional string page_token
  10: optional TAttributeMatchLevel attr_match_level
  11: optional bool is_crawler
  12: optional bool names_only
  100: optional schema.TRequestContext ctx
}

struct TListDatabasesResult {
  1: required list<objects.TDatabase> databases
  2: optional string prev_page_token
  3: optional string next_page_token
  4: optional i64 total_count
}

enum TListFilesOp {
  LIST = 0
  READ = 1
  WRITE = 2
  GET = 3
  DELETE = 4
}

struct TListFilesParams {
  1: required TListFilesOp op
  2: optional string object
  3: optional binary next_key
  4: optional string requesting_user
  5: optional string version_id
  6: optional bool posix_semantics
  7: optional bool authorize_only
  100: optional schema.TRequestContext ctx
}

struct TListFilesResult {
  1: optional list<string> files
  2: optional bool done
  3: optional list<objects.TFileDesc> file_descs
}

struct TListRolesParams {
  1: optional string requesting_user
  2: optional string role_name_substring
  3: optional string group_name_substring
  4: optional list<objects.TAccessPermissionScope> scopes
  5: optional list<string> catalog_object_names
  6: optional string target_user
  7: optional i64 limit
  8: optional string page_token
  9: optional bool manageable_only
  10: optional bool include_privilege_props
  11: optional list<objects.TAccessPermissionLevel> levels
  12: optional bool return_structured_exprs
  13: optional list<string> group_names
  100: optional schema.TRequestContext ctx
}

struct TListRolesResult {
  1: required list<objects.TRole> roles
  2: optional string prev_page_token
  3: optional string next_page_token
  4: optional i64 total_count
}

struct TLogInfoParams {
  1: required TInfoType info
  2: optional string info_json
  100: optional schema.TRequestContext ctx
}

struct TLogInfoResult {
}

struct TSetAttributesParams {
  1: required string requesting_user
  2: required list<schema.TAttributeValue> mappings
  3: optional bool cascade
  100: optional schema.TRequestContext ctx
}

struct TSetAttributesResult {
  1: required list<schema.TAttributeValue> mappings
}

struct TUnassignAttributesParams {
  1: required string requesting_user
  2: required list<schema.TAttributeValue> mappings
  3: optional bool cascade
  100: optional schema.TRequestContext ctx
}

struct TUnassignAttributesResult {
  1: required i32 unassigned_count
}

struct TUpdateAttributeMappingsParams {
  1: required string requesting_user
  2: required list<schema.TAttributeValue> to_assign
  3: required list<schema.TAttributeValue> to_unassign
  4: optional bool cascade
  100: optional schema.TRequestContext ctx
}

struct TUpdateAttributeMappingsResult {
  1: required i32 updated_count
}

enum TTestStatus {
  SUCCESS = 0
  FAILED = 1
}
