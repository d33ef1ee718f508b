"""A FrameworkProcessor's script: uses a module beside it, a package of `dependencies` and one of requirements.txt."""
import json
import os
import sys

import humanize
import sklearn

import beside
import rows

config = json.load(open("/opt/ml/config/processingjobconfig.json"))
read = rows.read("/opt/ml/processing/input/rows")
told = {
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "job": config["ProcessingJobName"],
    "note": os.environ["NOTE"],
    "rows": beside.described(len(read)),
    "sum": sum(read),
    "sklearn": sklearn.__version__,
    "humanize": humanize.__version__,
}
with open("/opt/ml/processing/output/told.json", "w") as file:
    json.dump(told, file)
print("read", humanize.intword(len(read)), "rows")
if "--fail" in sys.argv:
    raise ValueError("told to fail")
