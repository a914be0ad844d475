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

        nint named = 0;
        if (path is not null && !TryLoad(path, out named, out remedy))
        {
            return false;
        }

        if (FindObstacle() is { } obstacle)
        {
            remedy = $"System.Net.Quic cannot be used: {obstacle} {Remedy(path)}"
                + " Or use the managed engine (Engine = Managed), which needs nothing native.";
            return false;
        }

        if (named != 0 && !OperatingSystem.IsWindows() && Loaded() != named)
        {
            remedy = $"MsQuicLibraryPath names '{path}', but this process uses another libmsquic already. "
                + "Set it before anything uses System.Net.Quic, or leave it unset.";
            return false;
        }

        remedy = null;
        return true;
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

    /// <summary>Gives the library that the options name to System.Net.Quic and to no other assembly.</summary>
    internal static nint Resolve(Assembly assembly, string name) =>
        assembly == typeof(QuicConnection).Assembly && Names.Contains(name) ? Volatile.Read(ref _named) : 0;

    /// <summary>
    /// The library that System.Net.Quic has got, looked for as that does: the loader then gives the very same, even where another file of
    /// the name was loaded since. 0 where it has none.
    /// </summary>
    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    internal static nint Loaded()
    {
        Assembly owner = typeof(QuicConnection).Assembly;
        if (OperatingSystem.IsWindows())
        {
            return NativeLibrary.TryLoad(PathBeside(LocationOf(owner)), owner, DllImportSearchPath.LegacyBehavior, out nint beside) ? beside : 0;
        }

        foreach (string name in Names)
        {
            if (NativeLibrary.TryLoad(name, owner, null, out nint library))
            {
                return library;
            }
        }

        return 0;
    }

    /// <summary>Where System.Net.Quic takes the library from on Windows: from where it lies itself, or the program where all is one file.</summary>
    internal static string PathBeside(string assemblyLocation) => Path.Combine(
        string.IsNullOrEmpty(assemblyLocation) ? AppContext.BaseDirectory : Path.GetDirectoryName(assemblyLocation)!,
        NamesOn(isWindows: true, isMacOS: false)[0]);

    // On Linux a library that is loaded by its full path satisfies the later search by name: the loader knows its SONAME.
    // Elsewhere the search asks us, when it has found nothing.
    private static bool TryLoad(string path, out nint library, [NotNullWhen(false)] out string? remedy)
    {
        if (!NativeLibrary.TryLoad(path, out library))
        {
            remedy = $"MsQuicLibraryPath names '{path}', which cannot be loaded as a native library. "
                + "Give the full path of a libmsquic built for this platform and architecture, or leave it unset.";
            return false;
        }

        // System.Net.Quic does not get over a library without this entry, for as long as the process lives.
        if (!NativeLibrary.TryGetExport(library, "MsQuicOpenVersion", out _))
        {
            remedy = $"MsQuicLibraryPath names '{path}', which is no msquic: it does not export MsQuicOpenVersion. "
                + "Give the full path of a libmsquic, or leave it unset.";
            return false;
        }

        Interlocked.Exchange(ref _named, library);
        AssemblyLoadContext.Default.ResolvingUnmanagedDll -= Resolve;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        remedy = null;
        return true;
    }

    /// <summary>The reason that System.Net.Quic itself gives for not working, which it states when one tries to connect.</summary>
    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    private static string? FindObstacle()
    {
        try
        {
            if (QuicConnection.IsSupported)
            {
                return null;
            }

            // Throws before it begins.
            _ = QuicConnection.ConnectAsync(new QuicClientConnectionOptions()).AsTask();
            return "it does not say why.";
        }
        catch (PlatformNotSupportedException exception)
        {
            return exception.Message.TrimEnd('.') + ".";
        }
        catch (TypeInitializationException exception)
        {
            return (exception.InnerException ?? exception).Message.TrimEnd('.') + ".";
        }
    }

    [UnconditionalSuppressMessage(
        "SingleFile", "IL3000", Justification = "Where all is one file the location is empty, and the directory of that file is taken.")]
    private static string LocationOf(Assembly assembly) => assembly.Location;

    private static string Remedy(string? path)
    {
        if (OperatingSystem.IsWindows())
        {
            return "msquic.dll comes with .NET, and its TLS 1.3 needs Windows 11 or Windows Server 2022.";
        }

        if (path is not null)
        {
            return "The library that MsQuicLibraryPath names was loaded. If something in this process used System.Net.Quic before, it had "
                + "decided without it: set MsQuicLibraryPath before that.";
        }

        return (OperatingSystem.IsMacOS()
                ? "If libmsquic.dylib is missing or old, install it with 'brew install libmsquic'"
                : "If libmsquic.so.2 is missing or older than 2.2.2, install the package libmsquic from Microsoft's package feed for this distribution")
            + ", or name the file with MsQuicLibraryPath.";
    }
}
