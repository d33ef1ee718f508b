"""Script mode: runs the user's training script as SageMaker's framework images do. Started by the agent, in /opt/ml."""
import sys

from salvia.training import main

if __name__ == "__main__":
    sys.exit(main())
