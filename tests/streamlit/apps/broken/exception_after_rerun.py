# Reruns once, and fails in the second run.
import streamlit as st

st.title("Setup")
if "ready" not in st.session_state:
    st.session_state.ready = True
    st.rerun()
raise RuntimeError("The second run fails.")
