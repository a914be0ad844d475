using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Post.Quic;
using Post.Sockets;

namespace Telemetry;

/// <summary>Measures ten times a second. A reading is of use for 200 ms: what cannot arrive by then makes room for the next.</summary>
internal sealed partial class SensorWorker(AssociationFactory host, PostListeners listeners, PostLocals locals, ILogger<SensorWorker> logger)
    : BackgroundService
{
    private static readonly ObjectProperties Fresh = new() { Lifetime = TimeSpan.FromMilliseconds(200), Niceness = 10 };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The station runs in the same program here; elsewhere its address and key would come from configuration.
        var station = (IPEndPoint)listeners.Find("station")!.LocalEndPoints[0];
        var remote = Remote.Pinned(station, locals.Get("station").Key!.Value);
        await using var association = await host.AssociateAsync(Local.Anonymous, remote, cancellationToken: stoppingToken);
        LogAssociated(remote, association.TransportName);
        association.Register<Expired>(expired => LogExpired(expired.Receipt));

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var number = 0; await timer.WaitForNextTickAsync(stoppingToken); number++)
        {
            association.Send(new Reading(number, Math.Sin(number / 10.0)).ToBytes(), Fresh);
        }
    }

    [LoggerMessage(LogLevel.Information, "Associated with {Remote} over {Transport}")]
    private partial void LogAssociated(Remote remote, string transport);

    [LoggerMessage(LogLevel.Warning, "A reading came to nothing: {Receipt}")]
    private partial void LogExpired(Receipt receipt);
}
