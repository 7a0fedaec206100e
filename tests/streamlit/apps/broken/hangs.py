# Waits for ever at its import, without any element.
import threading

threading.Event().wait()

import streamlit as st

st.title("Never shown")
