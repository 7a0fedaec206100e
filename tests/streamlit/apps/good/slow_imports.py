# Shows nothing for 25 s, because its imports take that long.
import time

time.sleep(25)

import streamlit as st

st.title("At last")
