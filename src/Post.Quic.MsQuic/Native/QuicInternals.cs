using System.Diagnostics.CodeAnalysis;
using System.Net.Quic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Post.Quic.MsQuic.Native;

/// <summary>The private members of System.Net.Quic that the extras rely on; <see cref="FindObstacle"/> checks them all.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static class QuicInternals
{
    private const BindingFlags Private = BindingFlags.Instance | BindingFlags.NonPublic;

    private static readonly FieldInfo? ConnectionHandle = typeof(QuicConnection).GetField("_handle", Private);
    private static readonly FieldInfo? StreamHandle = typeof(QuicStream).GetField("_handle", Private);

    private static readonly MethodInfo? NativeCallback =
        typeof(QuicConnection).GetMethod("NativeCallback", BindingFlags.Static | BindingFlags.NonPublic);

    /// <summary>What is not as expected; null where all is.</summary>
    [DynamicDependency("#ctor()", typeof(QuicConnection))]
    [DynamicDependency("FinishConnectAsync", typeof(QuicConnection))]
    [DynamicDependency("NativeCallback", typeof(QuicConnection))]
    [DynamicDependency("ConnectionShutdownToken", typeof(QuicConnection))]
    [DynamicDependency("get_ConnectionShutdownToken", typeof(QuicConnection))]
    [DynamicDependency("Validate", typeof(QuicClientConnectionOptions))]
    [DynamicDependency("_handle", typeof(QuicConnection))]
    [DynamicDependency("_handle", typeof(QuicStream))]
    public static string? FindObstacle()
    {
        if (!IsHandle(ConnectionHandle) || !IsHandle(StreamHandle))
        {
            return "QuicConnection or QuicStream keeps its handle elsewhere";
        }

        ParameterInfo[]? callback = NativeCallback?.GetParameters();
        if (callback is not { Length: 3 }
            || NativeCallback!.ReturnType != typeof(int)
            || !Array.TrueForAll(callback, static parameter => parameter.ParameterType.IsPointer)
            || NativeCallback.GetCustomAttribute<UnmanagedCallersOnlyAttribute>() is null)
        {
            return "QuicConnection has no native callback of the known form";
        }

        if (typeof(QuicConnection).GetConstructor(Private, Type.EmptyTypes) is null)
        {
            return "QuicConnection has no private constructor without parameters";
        }

        MethodInfo? finish = typeof(QuicConnection).GetMethod(
            "FinishConnectAsync", Private, [typeof(QuicClientConnectionOptions), typeof(CancellationToken)]);
        if (finish?.ReturnType != typeof(ValueTask))
        {
            return "QuicConnection.FinishConnectAsync is missing or changed";
        }

        PropertyInfo? shutdown = typeof(QuicConnection).GetProperty("ConnectionShutdownToken", Private);
        if (shutdown?.PropertyType != typeof(CancellationToken))
        {
            return "QuicConnection.ConnectionShutdownToken is missing or changed";
        }

        MethodInfo? validate = typeof(QuicClientConnectionOptions).GetMethod("Validate", Private, [typeof(string)]);
        return validate?.ReturnType != typeof(void) ? "QuicClientConnectionOptions.Validate is missing or changed" : null;
    }

    /// <summary>Where System.Net.Quic takes the events of a connection.</summary>
    public static unsafe delegate* unmanaged[Cdecl]<nint, nint, byte*, int> OriginalCallback() =>
        (delegate* unmanaged[Cdecl]<nint, nint, byte*, int>)NativeCallback!.MethodHandle.GetFunctionPointer();

    public static SafeHandle HandleOf(QuicConnection connection) => (SafeHandle)ConnectionHandle!.GetValue(connection)!;

    public static SafeHandle HandleOf(QuicStream stream) => (SafeHandle)StreamHandle!.GetValue(stream)!;

    /// <summary>Uses the native handle of a connection, which stays open meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">The connection was disposed.</exception>
    public static T WithHandle<T>(QuicConnection connection, Func<nint, T> use)
    {
        SafeHandle handle = HandleOf(connection);
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return use(handle.DangerousGetHandle());
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    public static extern QuicConnection NewConnection();

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "FinishConnectAsync")]
    public static extern ValueTask FinishConnectAsync(
        QuicConnection connection, QuicClientConnectionOptions options, CancellationToken cancellationToken);

    /// <summary>Canceled by the last event of the connection.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_ConnectionShutdownToken")]
    public static extern CancellationToken ShutdownTokenOf(QuicConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Validate")]
    public static extern void Validate(QuicClientConnectionOptions options, string argumentName);

    private static bool IsHandle(FieldInfo? field) => field is not null && field.FieldType.IsAssignableTo(typeof(SafeHandle));
}
