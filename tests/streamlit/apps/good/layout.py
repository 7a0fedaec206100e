# Uses the sidebar, tabs, columns, an expander and a popover.
import streamlit as st

st.sidebar.selectbox("Model", ["small", "large"])
left, right = st.columns(2)
left.metric("Left", 1)
right.metric("Right", 2)
for tab in st.tabs(["One", "Two"]):
    with tab:
        st.write("In a tab")
with st.expander("More"):
    st.write("Inside")
with st.popover("Options"):
    st.checkbox("Fast")
