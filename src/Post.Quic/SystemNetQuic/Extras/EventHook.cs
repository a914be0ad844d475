using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>
/// Stands before System.Net.Quic's own native callback: shows each event to the extras of its connection and passes it on
/// with the same context.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static unsafe class EventHook
{
    private static readonly ConcurrentDictionary<nint, ConnectionExtras> ByHandle = new();
    private static delegate* unmanaged[Cdecl]<nint, nint, byte*, int> _original;

    /// <summary>Connections that are hooked now.</summary>
    public static int Count => ByHandle.Count;

    /// <summary>Puts the extras of a connection before its callback. The caller holds the handle.</summary>
    public static void Install(MsQuicTable table, nint handle, ConnectionExtras extras)
    {
        if (_original is null)
        {
            _original = QuicInternals.OriginalCallback();
        }

        ByHandle[handle] = extras;
        table.SetCallbackHandler(handle, &OnEvent, table.GetContext(handle));
    }

    /// <summary>Forgets a connection whose last event may never come.</summary>
    public static void Remove(nint handle) => ByHandle.TryRemove(handle, out _);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnEvent(nint handle, nint context, byte* nativeEvent)
    {
        int type = *(int*)nativeEvent;
        ConnectionExtras? extras;
        if (type == NativeNumbers.ShutdownComplete)
        {
            // Before it is passed on: afterwards the handle may be closed and its address given to another connection.
            ByHandle.TryRemove(handle, out extras);
        }
        else
        {
            ByHandle.TryGetValue(handle, out extras);
        }

        if (type == NativeNumbers.PeerAddressChanged)
        {
            // After it: the new address is then to be read from the connection.
            int status = _original(handle, context, nativeEvent);
            Show(extras, handle, type, nativeEvent);
            return status;
        }

        Show(extras, handle, type, nativeEvent);
        return _original(handle, context, nativeEvent);
    }

    private static void Show(ConnectionExtras? extras, nint handle, int type, byte* nativeEvent)
    {
        try
        {
            extras?.OnEvent(handle, type, nativeEvent);
        }
        catch (Exception exception)
        {
            // An exception must not reach native code: the process would die for one connection's sake.
            extras?.OnFailure(exception);
        }
    }
}
