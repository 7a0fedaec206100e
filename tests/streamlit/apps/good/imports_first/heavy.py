import os
import time

sessions = 0
time.sleep(float(os.environ.get("IMPORT_SECONDS", "3")))
