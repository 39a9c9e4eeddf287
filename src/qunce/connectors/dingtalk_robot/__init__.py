"""DingTalk group robot: sends into one group."""
