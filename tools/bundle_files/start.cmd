@echo off
rem Starts Sanylau from this folder:  start.cmd
rem It looks for a Python that this folder has the parts for, and gives everything else to start.py.
setlocal
set "here=%~dp0"
for %%P in ("py -3.14" "py -3.13" "py -3.12" "py -3.11" "python" "python3") do (
    set "python=%%~P"
    %%~P -I "%here%start.py" --fits >nul 2>nul && goto found
)
echo start.cmd: Python 3.11 to 3.14 (64-bit, from python.org) is needed, and there is none on this computer 1>&2
exit /b 3
:found
%python% -I "%here%start.py" %*
exit /b %errorlevel%
