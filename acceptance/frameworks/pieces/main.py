"""Shows what a script finds, and fails when it is told to."""
import json
import os
import sys

import helper
import inflection

print("inflected:", inflection.pluralize("octopus"), helper.greeting())
print("SM_HPS", os.environ["SM_HPS"])
print("SM_CHANNELS", os.environ["SM_CHANNELS"])
print("arguments", json.dumps(sys.argv[1:]))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "environment.json"), "w") as file:
    json.dump({name: value for name, value in os.environ.items() if name.startswith("SM_")}, file)
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "note.txt"), "w") as file:
    file.write("noted")
if "--fail" in sys.argv:
    raise ValueError("the reason that the user must see")
