#!/bin/sh
echo "shell script with: $*"
echo "$SM_CURRENT_HOST" > "$SM_MODEL_DIR/host-$SM_CURRENT_HOST"
