using System.CommandLine;

namespace LocalAws.Cli;

/// <summary><c>local-aws zone add|records</c>.</summary>
internal static class ZoneCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var id = new Argument<string>("ID") { Description = "As Z0123456789ABCDEFGHIJ." };
        var name = new Argument<string>("NAME") { Description = "As example.com." };
        var add = new Command("add", "Make a hosted zone, empty.") { endpoint, id, name };
        add.SetAction((result, stopping) => CommandRunner.RunAsync(() => AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Put,
            $"/hosted-zones?id={Uri.EscapeDataString(result.GetRequiredValue(id))}&name={Uri.EscapeDataString(result.GetRequiredValue(name))}", null, stopping)));
        var records = new Command("records", "Show the records of a hosted zone, a line each.") { endpoint, id };
        records.SetAction((result, stopping) => CommandRunner.RunAsync(async () => await Console.Out.WriteLineAsync(await AdminClient.SendAsync(
            result.GetRequiredValue(endpoint), HttpMethod.Get, $"/records?zone={Uri.EscapeDataString(result.GetRequiredValue(id))}", null, stopping))));
        return new Command("zone", "Hosted zones of a LocalAws that runs.") { add, records };
    }
}
