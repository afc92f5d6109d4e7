"""How good would each candidate's answer be? One estimator a file."""
