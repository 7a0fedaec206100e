# Computes in threads that outlive no run.
from concurrent.futures import ThreadPoolExecutor

import streamlit as st

with ThreadPoolExecutor(4) as pool:
    st.write("Squares:", list(pool.map(lambda n: n * n, range(8))))
