namespace Post.Quic.SystemNetQuic;

/// <summary>How <see cref="SystemNetQuicTransport"/> finds and uses the platform's QUIC.</summary>
public sealed record SystemNetQuicOptions
{
    /// <summary>
    /// The full path of the native library (<c>libmsquic.so.2</c>, <c>libmsquic.dylib</c>, <c>msquic.dll</c>), for machines
    /// where it lies where the system's loader does not look. Null (the default): where the system finds it. It takes effect
    /// only before anything in the process has used System.Net.Quic.
    /// </summary>
    public string? MsQuicLibraryPath { get; init; }
}
