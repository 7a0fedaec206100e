# Never finishes: it redraws a number for ever.
import itertools
import time

import streamlit as st

st.title("Live")
number = st.empty()
for i in itertools.count():
    number.metric("Ticks", i)
    time.sleep(0.5)
