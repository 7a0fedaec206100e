# Works for three seconds with a progress bar and a spinner.
import time

import streamlit as st

bar = st.progress(0, "Indexing")
for percent in range(0, 101, 10):
    time.sleep(0.3)
    bar.progress(percent, "Indexing")
with st.spinner("Almost"):
    time.sleep(0.2)
st.success("Indexed")
