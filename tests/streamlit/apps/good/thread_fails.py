# Starts a thread of its own that fails. The page does not depend on it.
import threading

import streamlit as st


def refresh():
    raise TimeoutError("The feed did not answer.")


thread = threading.Thread(target=refresh, name="refresh")
thread.start()
thread.join()
st.title("News of yesterday")
