raise RuntimeError("the reason that the user must see")
