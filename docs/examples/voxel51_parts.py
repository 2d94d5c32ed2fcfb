"""What else is often wanted of the Voxel51 Platform."""

# --8<-- [start:import]
from asyncclient.voxel51 import API, JobRequest, activate_token  # was: from voxel51.users.api import API, and so on

# --8<-- [end:import]

# --8<-- [start:token]
activate_token("token.json")  # as downloaded from the console of the platform
# --8<-- [end:token]

# --8<-- [start:more]
from asyncclient.voxel51 import AnalyticsQuery, JobsQuery

api = API()
print(len(api.list_analytics()), "analytics")
api.query_analytics(AnalyticsQuery().add_all_fields().add_search("name", "vehicle"))
api.query_jobs(JobsQuery().add_all_fields().add_search("archived", False).sort_by("upload_date").set_limit(10))
first, second = api.thread_map(api.upload_data, ["a.mp4", "b.mp4"], max_workers=4)
api.update_data_ttl(first["id"], days=5)
api.batch_delete_data([first["id"], second["id"]])
for record in api.iterate("query_jobs", JobsQuery().add_fields(["id", "state"])):
    print(record["state"])
# --8<-- [end:more]

# --8<-- [start:application-token]
from asyncclient.voxel51 import ApplicationAPI, activate_application_token

activate_application_token("app-token.json")
# --8<-- [end:application-token]

# --8<-- [start:user]
app = ApplicationAPI()
if "carol" not in app.list_users():
    app.create_user("carol")
app.with_user("carol")
app.upload_data("a.mp4")
print(len(app.list_data()), "file of carol")
app.exit_user()
# --8<-- [end:user]

print(JobRequest("voxel51/vehicle-sense").analytic)
