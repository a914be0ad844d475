using Microsoft.Extensions.Logging;
using Post.Quic;
using Post.Sockets;

namespace Telemetry;

/// <summary>Takes the readings of one sensor: an instance for each association.</summary>
internal sealed partial class StationHandler(ILogger<StationHandler> logger) : IPostHandler
{
    public async Task RunAsync(Association association, CancellationToken stopping)
    {
        await foreach (var item in association.ReceiveAllAsync(stopping))
        {
            using (item)
            {
                if (Reading.TryParse(item.ToArray()) is { } reading)
                {
                    LogReading(reading.Number, reading.Value, item.RemainingLifetime);
                }

                item.MarkProcessed();
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Reading {Number}: {Value:0.00}, good for {Left} more")]
    private partial void LogReading(int number, double value, TimeSpan left);
}
