using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Post.Quic.Engines;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>
/// Chooses the engine and creates the transport, where no dependency injection is used:
/// <c>await using var transport = PostQuicTransport.Create();</c>
/// </summary>
/// <remarks>
/// The choice is logged, and readable from <see cref="PostTransport.Name"/> and <c>Association.TransportName</c>.
/// </remarks>
public static class PostQuicTransport
{
    /// <summary>Creates the transport that the options ask for.</summary>
    /// <param name="options">The engine, and what it must be able to do; null: the defaults.</param>
    /// <param name="loggerFactory">Where it logs; null: nowhere.</param>
    /// <param name="timeProvider">The clock; null or the system's clock: one that continues while the machine sleeps.</param>
    /// <param name="meterFactory">Creates the meter of the managed engine; null: a meter of the process.</param>
    /// <returns>The transport; dispose it when all associations are over.</returns>
    /// <exception cref="PlatformNotSupportedException">
    /// No engine can serve what the options ask for; the message names the remedy for the platform at hand.
    /// </exception>
    public static PostTransport Create(
        PostQuicOptions? options = null,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null,
        IMeterFactory? meterFactory = null) =>
        new EngineChoice(EngineChoice.Known).Create(
            options ?? new PostQuicOptions(), new EngineServices(loggerFactory, timeProvider, meterFactory));
}
