def greeting():
    return "from beside the script"
