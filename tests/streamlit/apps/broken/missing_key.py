# Needs an environment variable that is not set.
import os

import streamlit as st

st.write("With key", os.environ["APP_KEY_THAT_IS_NOT_SET"])
