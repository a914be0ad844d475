using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Post.Quic.MsQuic;
using Post.Quic.SystemNetQuic;

namespace Post.Quic.Tests.Transports;

/// <summary>
/// The platform's QUIC for tests: found by the system, or at the path in POST_MSQUIC_PATH. Where it is missing, the test
/// is skipped.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static class MsQuicPlatform
{
    private static readonly SystemNetQuicTransportOptions Options = new() { MsQuicLibraryPath = Environment.GetEnvironmentVariable("POST_MSQUIC_PATH") };

    public static SystemNetQuicTransport CreateTransport(
        bool useExtras = true, ILoggerFactory? logs = null, Func<ExtrasOrObstacle>? extras = null, TimeProvider? time = null)
    {
        if (!MsQuicLibrary.IsAvailable(Options.MsQuicLibraryPath, out string? remedy))
        {
            Assert.Inconclusive("No libmsquic: " + remedy);
        }

        return new SystemNetQuicTransport(Options with { Extras = useExtras ? extras ?? MsQuicExtras.Get : null }, logs, time);
    }
}
