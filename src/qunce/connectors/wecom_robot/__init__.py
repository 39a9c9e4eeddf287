"""WeCom group robot (消息推送): sends into one internal group."""
