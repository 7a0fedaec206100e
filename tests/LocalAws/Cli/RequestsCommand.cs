using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LocalAws.Admin;
using LocalAws.Requests;

namespace LocalAws.Cli;

/// <summary><c>local-aws requests</c>: prints the requests so far.</summary>
internal static class RequestsCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var operation = new Option<string?>("--operation") { Description = "Only this operation." };
        var count = new Option<bool>("--count") { Description = "Print only their number." };
        var json = new Option<bool>("--json");
        var clear = new Option<bool>("--clear") { Description = "Forget them after printing." };
        var command = new Command("requests", "Print the requests that a running LocalAws got.") { endpoint, operation, count, json, clear };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(async () =>
        {
            var address = result.GetRequiredValue(endpoint);
            var text = await AdminClient.SendAsync(address, HttpMethod.Get, "/requests", null, stopping);
            var only = result.GetValue(operation);
            var all = JsonSerializer.Deserialize(text, AdminJson.Default.IReadOnlyListRecordedRequest)!;
            IReadOnlyList<RecordedRequest> requests = [.. all.Where(request => only is null || request.Operation == only)];
            if (result.GetValue(count))
            {
                await Console.Out.WriteLineAsync(requests.Count.ToString(CultureInfo.InvariantCulture));
            }
            else if (result.GetValue(json))
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(requests, AdminJson.Default.IReadOnlyListRecordedRequest));
            }
            else
            {
                foreach (var request in requests)
                {
                    var status = request.Status?.ToString(CultureInfo.InvariantCulture) ?? "...";
                    await Console.Out.WriteLineAsync(
                        $"{request.Time:HH:mm:ss.fff} {status,3} {request.Operation,-26} {request.Method,-5} {request.Resource}");
                }
            }

            if (result.GetValue(clear))
            {
                await AdminClient.SendAsync(address, HttpMethod.Delete, "/requests", null, stopping);
            }
        }));
        return command;
    }
}
