using RagAgent.Common;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

/// <summary>Is this an EC2 instance, and does its metadata service answer?</summary>
internal sealed class InstanceCheck(InstanceMetadata metadata) : ICheck
{
    private const string VendorFile = "/sys/class/dmi/id/sys_vendor";
    private const string HypervisorFile = "/sys/hypervisor/uuid";   // on older, Xen-based instance types

    public string Name => "instance";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (InstanceMetadata.IsDisabled)
        {
            return CheckResult.Skipped(
                "The instance metadata service is disabled (AWS_EC2_METADATA_DISABLED): credentials and region come from elsewhere.");
        }
        try
        {
            var id = await metadata.InstanceIdAsync(stopping);
            return CheckResult.Ok(
                $"This is the instance {id} in {await metadata.RegionAsync(stopping)}. Its metadata service answers with session tokens.");
        }
        catch (ProblemException exception) when (IsNoAnswer(exception.Problem) && !IsEc2())
        {
            return CheckResult.Skipped(
                "This is not an EC2 instance: credentials and region come from the standard AWS variables or a profile.");
        }
    }

    private static bool IsNoAnswer(Problem problem) =>
        problem.Kind == ProblemCatalog.ImdsSilent || problem.Kind == ProblemCatalog.ImdsUnreachable;

    private static bool IsEc2() => FileStartsWith(VendorFile, "Amazon EC2") || FileStartsWith(HypervisorFile, "ec2");

    private static bool FileStartsWith(string file, string prefix)
    {
        try
        {
            return File.ReadAllText(file).StartsWith(prefix, StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;   // nothing says that it is one
        }
    }
}
