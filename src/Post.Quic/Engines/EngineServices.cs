using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Post.Quic.Engines;

/// <summary>Services that an engine uses; it does without those that are null.</summary>
/// <param name="LoggerFactory">Where it logs.</param>
/// <param name="TimeProvider">The clock.</param>
/// <param name="MeterFactory">Whose its instruments are; without one, they are the process's.</param>
internal sealed record EngineServices(
    ILoggerFactory? LoggerFactory = null, TimeProvider? TimeProvider = null, IMeterFactory? MeterFactory = null);
