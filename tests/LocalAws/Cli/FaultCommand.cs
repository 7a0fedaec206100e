using System.CommandLine;
using LocalAws.Admin;
using LocalAws.Faults;

namespace LocalAws.Cli;

/// <summary><c>local-aws fault set|clear|list</c>.</summary>
internal static class FaultCommand
{
    public static Command Create() =>
        new("fault", "Set faults in a running LocalAws.") { CreateSet(), CreateClear(), CreateList() };

    private static Command CreateSet()
    {
        var endpoint = AdminClient.EndpointOption();
        var operation = new Argument<string>("OPERATION")
        {
            Description = "imds-token, imds-role, imds-credentials, imds-other, ssm:GetParameter, ecr:GetAuthorizationToken, ec2:StopInstances, "
                + "registry:manifest, registry:blob, registry:upload, registry:any, …",
        };
        var kind = new Argument<string>("KIND");
        kind.AcceptOnlyFromAmong("error", "hang", "delay", "cut", "throttle", "no-role", "role-refused", "expired-credentials");
        var times = new Option<int?>("--times") { Description = "How many requests fail. Default: all, until the fault is cleared." };
        var method = new Option<string?>("--method") { Description = "Only requests with this HTTP method." };
        var role = new Option<string?>("--role") { Description = "Only requests signed by this role." };
        var type = new Option<string?>("--type")
        {
            Description = "For error: AccessDeniedException, ThrottlingException, DENIED, TOOMANYREQUESTS, …; for EC2: UnauthorizedOperation, "
                + "RequestLimitExceeded, …",
        };
        var message = new Option<string?>("--message") { Description = "For error: replaces AWS's message for that type." };
        var status = new Option<int?>("--status") { Description = "For error: replaces the HTTP status of that type." };
        var retryAfter = new Option<int?>("--retry-after") { Description = "For errors of the registry: seconds." };
        var seconds = new Option<double>("--seconds") { Description = "For delay.", DefaultValueFactory = _ => 1 };
        var bytes = new Option<long>("--bytes") { Description = "For cut: bytes before the cut. For throttle: bytes per second." };
        var command = new Command("set", "Set a fault.")
        {
            endpoint, operation, kind, times, method, role, type, message, status, retryAfter, seconds, bytes,
        };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(async () =>
        {
            Fault fault = result.GetRequiredValue(kind) switch
            {
                "hang" => new Fault.Hang(),
                "delay" => new Fault.Delay(result.GetValue(seconds)),
                "cut" => new Fault.Cut(result.GetValue(bytes)),
                "throttle" => new Fault.Throttle(result.GetValue(bytes)),
                "no-role" => new Fault.Error(Status: StatusCodes.Status404NotFound),
                "role-refused" => new Fault.RoleRefused(),
                "expired-credentials" => new Fault.ExpiredCredentials(),
                _ => new Fault.Error(result.GetValue(type), result.GetValue(message), result.GetValue(status), result.GetValue(retryAfter)),
            };
            var rule = new FaultRule(
                result.GetRequiredValue(operation), fault, result.GetValue(times), result.GetValue(method), result.GetValue(role));
            using var content = JsonContent.Create(rule, AdminJson.Default.FaultRule);
            await AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Post, "/faults", content, stopping);
        }));
        return command;
    }

    private static Command CreateClear()
    {
        var endpoint = AdminClient.EndpointOption();
        var operation = new Argument<string?>("OPERATION") { Arity = ArgumentArity.ZeroOrOne, Description = "Default: all." };
        var command = new Command("clear", "Remove faults.") { endpoint, operation };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(() => AdminClient.SendAsync(
            result.GetRequiredValue(endpoint), HttpMethod.Delete,
            $"/faults?operation={Uri.EscapeDataString(result.GetValue(operation) ?? "")}", null, stopping)));
        return command;
    }

    private static Command CreateList()
    {
        var endpoint = AdminClient.EndpointOption();
        var command = new Command("list", "Print the faults that are set as JSON.") { endpoint };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(async () => await Console.Out.WriteLineAsync(
            await AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Get, "/faults", null, stopping))));
        return command;
    }
}
