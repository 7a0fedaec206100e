using RagAgent.Aws;
using RagAgent.Cli;
using RagAgent.Diagnostics;

// Install and upgrade scripts ask for it, so it is answered before anything else is loaded.
if (args is ["--version"])
{
    return await StandardOutput.WriteAsync($"ragagent {AgentVersion.Short}\n");
}
// Before the first request of the AWS SDK, which reads the proxy settings of the environment then.
InstanceMetadata.BypassProxies();
return await CommandInvoker.RunAsync(CommandLine.Create().Parse(args));
