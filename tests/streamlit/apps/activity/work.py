# Works for a while after a click, reruns a part every second, or redraws itself for ever, as its address says.
import time

import streamlit as st


@st.fragment(run_every=1)
def clock():
    st.write(f"Clock {time.time():.0f}")


what = st.query_params.get("what")
st.title("Activity")
if st.button("Count"):
    st.session_state.count = st.session_state.get("count", 0) + 1
st.write("Clicks:", st.session_state.get("count", 0))
if st.button("Ingest"):
    bar = st.progress(0.0)
    steps = 2 * int(st.query_params["seconds"])
    for step in range(steps):
        time.sleep(0.5)
        bar.progress((step + 1) / steps)
    st.write("Ingested.")
if what == "clock":
    clock()
if what == "redraws":
    st.write(f"Drawn {time.time():.0f}")
    time.sleep(1)
    st.rerun()
