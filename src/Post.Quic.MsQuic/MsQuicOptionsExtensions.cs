using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;

namespace Post.Quic.MsQuic;

/// <summary>Adds to System.Net.Quic what msquic has beyond its public API: datagrams, priorities, statistics, path events, migration and resumption.</summary>
/// <remarks>
/// The extras rest on private members of System.Net.Quic and on msquic's binary interface. They are tried before their first use; where one is not as
/// expected they switch themselves off, and the log and the transport's capabilities say so.
/// </remarks>
public static class MsQuicOptionsExtensions
{
    /// <summary>Adds the extras; <see cref="PostEngine.Auto"/> then takes System.Net.Quic where the extras work.</summary>
    /// <param name="options">The options.</param>
    /// <returns>The options.</returns>
    public static PostQuicOptions UseMsQuicExtras(this PostQuicOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Extras = Extras;
        return options;
    }

    /// <summary>Adds the extras, for a transport that is made without <see cref="PostQuicOptions"/>.</summary>
    /// <param name="options">The options.</param>
    /// <returns>A copy of the options, with the extras.</returns>
    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    public static SystemNetQuicTransportOptions WithMsQuicExtras(this SystemNetQuicTransportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Extras = MsQuicExtras.Get };
    }

    private static ExtrasOrObstacle Extras() => MsQuicLibrary.IsPlatformSupported
        ? MsQuicExtras.Get()
        : new ExtrasOrObstacle(null, "System.Net.Quic does not exist on this platform");
}
