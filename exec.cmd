@rem The scripts of package.json start programs by "exec", so that the shell that npm runs them in does not stand between npm's signals and
@rem the program. Windows' cmd has no such command, and finds this file instead.
@%*
