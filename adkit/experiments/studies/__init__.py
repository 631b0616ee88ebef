"""What the notebooks ask beyond a plain run, one module a question: a search, a grid of scores, a size held fixed."""
