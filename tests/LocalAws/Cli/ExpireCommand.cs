using System.CommandLine;

namespace LocalAws.Cli;

/// <summary><c>local-aws expire registry-tokens|role-credentials</c>: expires everything issued so far.</summary>
internal static class ExpireCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var target = new Argument<string>("WHAT");
        target.AcceptOnlyFromAmong("registry-tokens", "role-credentials");
        var command = new Command("expire", "Expire all tokens or credentials issued so far.") { endpoint, target };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(() => AdminClient.SendAsync(
            result.GetRequiredValue(endpoint), HttpMethod.Post, $"/{result.GetRequiredValue(target)}/expire", null, stopping)));
        return command;
    }
}
