"""The model server of framework images: /ping and /invocations around the user's model_fn, input_fn, predict_fn and output_fn."""
import sys

from salvia.serving import main

if __name__ == "__main__":
    sys.exit(main())
