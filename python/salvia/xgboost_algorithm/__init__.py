"""XGBoost as a built-in algorithm: what sagemaker-xgboost does without a script (facts: sagemaker-xgboost-container's contract)."""
