using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RagAgent.Diagnostics.Logging;
using RagAgent.Tests.Support;
using Serilog;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>The .NET host's messages in the log as the agent sets it up.</summary>
public sealed class HostLogFilterTests : IDisposable
{
    private readonly StringWriter _out = new();

    public void Dispose() => _out.Dispose();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_failed_background_service_is_logged_once_with_its_exception()
    {
        using var output = new AgentLogging(OutputKind.Journal, _out);
        using var host = Build<FailingService>(output);

        await host.StartAsync(TestCancellation);
        await host.WaitForShutdownAsync(TestCancellation);

        Assert.Equal("<3>BackgroundService failed [InvalidDataException: It broke.]\n", _out.ToString());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_failed_start_throws_and_is_not_logged()
    {
        using var output = new AgentLogging(OutputKind.Journal, _out);
        using var host = Build<FailingStartService>(output);

        await Assert.ThrowsAsync<InvalidDataException>(() => host.StartAsync(TestCancellation));

        Assert.Equal("", _out.ToString());
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static IHost Build<T>(AgentLogging output)
        where T : class, IHostedService
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSerilog(output.Logger).AddHostedService<T>();
        return builder.Build();
    }

    private sealed class FailingService : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.FromException(new InvalidDataException("It broke."));
    }

    private sealed class FailingStartService : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.FromException(new InvalidDataException("It does not start."));

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
