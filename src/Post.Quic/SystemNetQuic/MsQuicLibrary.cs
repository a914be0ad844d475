using System.Diagnostics.CodeAnalysis;
using System.Net.Quic;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Runtime.Versioning;

namespace Post.Quic.SystemNetQuic;

/// <summary>Finds out whether System.Net.Quic works here, and what to do where it does not.</summary>
internal static class MsQuicLibrary
{
    /// <summary>How System.Net.Quic asks for the library, in its order: with the major version first where a package may have only that.</summary>
    public static IReadOnlyList<string> Names { get; } = NamesOn(OperatingSystem.IsWindows(), OperatingSystem.IsMacOS());

    private static nint _named;

    /// <summary>Whether this platform has a System.Net.Quic at all.</summary>
    [SupportedOSPlatformGuard("linux")]
    [SupportedOSPlatformGuard("macos")]
    [SupportedOSPlatformGuard("windows")]
    public static bool IsPlatformSupported => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows();

    /// <summary>Whether it works, loading the library from <paramref name="path"/> first where one is given.</summary>
    public static bool IsAvailable(string? path, [NotNullWhen(false)] out string? remedy)
    {
        if (!IsPlatformSupported)
        {
            remedy = "System.Net.Quic does not exist on this platform; the managed engine runs everywhere (Engine = Managed).";
            return false;
        }

        // On Linux a library that is loaded by its full path satisfies the later search by name: the loader knows its SONAME.
        // Elsewhere the search asks us, when it has found nothing.
        if (path is not null && NativeLibrary.TryLoad(path, out nint library))
        {
            Interlocked.Exchange(ref _named, library);
            AssemblyLoadContext.Default.ResolvingUnmanagedDll -= Resolve;
            AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        }
        else if (path is not null)
        {
            remedy = $"MsQuicLibraryPath names '{path}', which cannot be loaded as a native library. "
                + "Give the full path of a libmsquic built for this platform and architecture, or leave it unset.";
            return false;
        }

        if (QuicConnection.IsSupported)
        {
            remedy = null;
            return true;
        }

        remedy = "System.Net.Quic cannot be used: " + Remedy()
            + " Or use the managed engine (Engine = Managed), which needs nothing native.";
        return false;
    }

    internal static IReadOnlyList<string> NamesOn(bool isWindows, bool isMacOS)
    {
        if (isWindows)
        {
            return ["msquic.dll"];
        }

        string name = isMacOS ? "libmsquic.dylib" : "libmsquic.so";
        return [name + ".2", name];
    }

    /// <summary>Gives the library that the options name to System.Net.Quic and to nobody else.</summary>
    internal static nint Resolve(Assembly assembly, string name) =>
        assembly == typeof(QuicConnection).Assembly && Names.Contains(name) ? Volatile.Read(ref _named) : 0;

    private static string Remedy()
    {
        if (OperatingSystem.IsLinux())
        {
            return "libmsquic.so.2 (2.2.2 or later) was not found. Install the package libmsquic from Microsoft's package feed "
                + "for this distribution, or name the file with MsQuicLibraryPath.";
        }

        return OperatingSystem.IsMacOS()
            ? "libmsquic.dylib was not found. Install it with 'brew install libmsquic', or name the file with MsQuicLibraryPath."
            : "msquic.dll comes with .NET, and its TLS 1.3 needs Windows 11 or Windows Server 2022.";
    }
}
