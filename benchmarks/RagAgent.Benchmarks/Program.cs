using RagAgent.Benchmarks;

// What common tools lack: an app that costs next to nothing, a load of many WebSockets, and the time until the first response.
return args switch
{
    ["backend", var port] => await BenchmarkApp.RunAsync(int.Parse(port)),
    ["sockets", var url, var count, var seconds] => await WebSocketLoad.RunAsync(
        new Uri(url), int.Parse(count), TimeSpan.FromSeconds(int.Parse(seconds))),
    ["first-byte", var url, .. var command] => await StartupTimer.RunAsync(new Uri(url), command),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("ragagent-benchmarks backend PORT | sockets URL COUNT SECONDS | first-byte URL COMMAND…");
    return 64;
}
