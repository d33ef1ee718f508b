def described(count):
    return f"{count} rows"
