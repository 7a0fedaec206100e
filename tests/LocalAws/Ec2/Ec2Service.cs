using System.Text.RegularExpressions;
using System.Xml.Linq;
using LocalAws.Metadata;

namespace LocalAws.Ec2;

/// <summary>EC2's API of 2016-11-15: StopInstances for the only instance.</summary>
/// <param name="getInstance">The instance as IMDS describes it.</param>
/// <param name="region">The instance's region.</param>
/// <param name="account">The instance's account.</param>
/// <param name="onStopAccepted">Called when a stop is accepted. It should shut the machine down.</param>
internal sealed partial class Ec2Service(Func<InstanceInfo> getInstance, string region, string account, Action onStopAccepted)
{
    public const string SigningName = "ec2";
    private const string Version = "2016-11-15";
    private static readonly XNamespace Xmlns = $"http://ec2.amazonaws.com/doc/{Version}/";

    /// <summary>The resource that IAM would check the action against.</summary>
    public string ResourceOf(Dictionary<string, string> form) =>
        form.TryGetValue("InstanceId.1", out var id) ? $"arn:aws:ec2:{region}:{account}:instance/{id}" : "*";

    /// <exception cref="AwsErrorException">EC2 refuses the call.</exception>
    public XElement Handle(string action, Dictionary<string, string> form, string requestId)
    {
        if (action != "StopInstances" || form.GetValueOrDefault("Version") != Version)
        {
            throw Refuse("InvalidAction", $"The action {action} is not valid for this web service.");
        }

        var ids = form.Where(field => field.Key.StartsWith("InstanceId.", StringComparison.Ordinal)).Select(field => field.Value).ToArray();
        if (ids.Length == 0)
        {
            throw Refuse("MissingParameter", "The request must contain the parameter InstanceId");
        }

        if (ids.FirstOrDefault(id => !InstanceId().IsMatch(id)) is { } malformed)
        {
            throw Refuse("InvalidInstanceID.Malformed", $"Invalid id: \"{malformed}\"");
        }

        if (ids.FirstOrDefault(id => id != getInstance().InstanceId) is { } unknown)
        {
            throw Refuse("InvalidInstanceID.NotFound", $"The instance ID '{unknown}' does not exist");
        }

        if (form.GetValueOrDefault("DryRun") == "true")
        {
            throw new AwsErrorException(new AwsError(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", StatusCodes.Status412PreconditionFailed));
        }

        onStopAccepted();
        return new XElement(Xmlns + "StopInstancesResponse",
            new XElement(Xmlns + "requestId", requestId),
            new XElement(Xmlns + "instancesSet", new XElement(Xmlns + "item",
                new XElement(Xmlns + "instanceId", getInstance().InstanceId),
                State("currentState", 64, "stopping"),
                State("previousState", 16, "running"))));
    }

    private static XElement State(string which, int code, string name) =>
        new(Xmlns + which, new XElement(Xmlns + "code", code), new XElement(Xmlns + "name", name));

    private static AwsErrorException Refuse(string type, string message) => new(AwsError.BadRequest(type, message));

    [GeneratedRegex("^i-[0-9a-f]{8}([0-9a-f]{9})?$")]
    private static partial Regex InstanceId();
}
