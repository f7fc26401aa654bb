# The part of Logstash's Ruby interface that is written in Ruby; the rest is in ruby_event.c,
# ruby_time.c and ruby_native.c. Evaluated once, when the interpreter starts.

# What a running Logstash has loaded already, so that code does not require it.
%w[json time bigdecimal set].each { |name| require name }
{
  "Base64" => "base64", "Benchmark" => "benchmark", "CGI" => "cgi", "Date" => "date",
  "DateTime" => "date", "Delegator" => "delegate", "Digest" => "digest", "ERB" => "erb",
  "Etc" => "etc", "FileUtils" => "fileutils", "Forwardable" => "forwardable",
  "IPAddr" => "ipaddr", "Logger" => "logger", "Net" => "net/http", "Observable" => "observer",
  "Open3" => "open3", "OpenSSL" => "openssl", "OpenStruct" => "ostruct", "PP" => "pp",
  "Pathname" => "pathname", "Psych" => "psych", "Resolv" => "resolv",
  "SecureRandom" => "securerandom", "Shellwords" => "shellwords", "SimpleDelegator" => "delegate",
  "Singleton" => "singleton", "Socket" => "socket", "StringIO" => "stringio",
  "StringScanner" => "strscan", "TCPSocket" => "socket", "Tempfile" => "tempfile",
  "Timeout" => "timeout", "UDPSocket" => "socket", "URI" => "uri", "YAML" => "yaml",
  "Zlib" => "zlib"
}.each { |name, file| Object.autoload(name, file) unless Object.const_defined?(name) }

LOGSTASH_VERSION = "8.9.2"
LOGSTASH_CORE_VERSION = "8.9.2"

module LogStash
  class Error < StandardError; end
  class ConfigurationError < Error; end
  class PluginLoadingError < Error; end
  class EnvironmentError < Error; end
  class BugError < Error; end

  class Timestamp
    def marshal_dump
      [to_i, nsec]
    end

    def marshal_load(parts)
      initialize(Time.at(parts[0], parts[1], :nsec))
    end
  end

  class Event
    OLD_FORM = "event['field'] is the form of Logstash before 5.0: " \
               "use event.get('field') and event.set('field', value)"

    def [](*)
      raise NoMethodError, OLD_FORM
    end

    def []=(*)
      raise NoMethodError, OLD_FORM
    end

    def inspect
      "#<LogStash::Event #{to_hash_with_metadata.inspect}>"
    end

    alias to_h to_hash
    private :to_h
  end

  module Json
    class ParserError < LogStash::Error; end
    class GeneratorError < LogStash::Error; end

    def self.load(text, options = {})
      return nil if text.nil? || text.strip.empty?
      ::JSON.parse(text, symbolize_names: options[:symbolize_keys] ? true : false)
    rescue ::JSON::ParserError => e
      raise ParserError, e.message
    end

    def self.dump(object)
      ::JSON.generate(object)
    rescue ::JSON::GeneratorError, ::EncodingError => e
      raise GeneratorError, e.message
    end

    class << self
      alias jruby_load load
      alias jruby_dump dump
    end
  end

  module Util
    def self.class_name(object)
      object.class.name.split("::").last
    end

    def self.hash_merge(into, from)
      from.each { |key, value| into[key] = into.key?(key) ? merged(into[key], value) : value }
      into
    end

    def self.hash_merge_many(*hashes)
      hashes.reduce({}) { |all, one| hash_merge(all, one) }
    end

    def self.merged(old, new)
      return hash_merge(old, new) if old.is_a?(Hash) && new.is_a?(Hash)
      return old | Array(new) if old.is_a?(Array)
      return [old] | new if new.is_a?(Array)
      old == new ? old : [old, new]
    end
    private_class_method :merged

    def self.stringify_symbols(object)
      case object
      when Hash then object.to_h { |k, v| [stringify_symbols(k), stringify_symbols(v)] }
      when Array then object.map { |item| stringify_symbols(item) }
      when Symbol then object.to_s
      else object
      end
    end
    class << self
      alias stringify_keys stringify_symbols
      alias normalize stringify_symbols
    end

    def self.deep_clone(object)
      case object
      when Hash then object.to_h { |k, v| [k, deep_clone(v)] }
      when Array then object.map { |item| deep_clone(item) }
      when String then object.dup
      else object
      end
    end

    module Decorators
      def self.add_fields(fields, event, _plugin = nil)
        fields.each do |name, values|
          name = event.sprintf(name)
          Array(values).each do |value|
            value = event.sprintf(value) if value.is_a?(String)
            old = event.get(name)
            event.set(name, old.nil? ? value : Array(old) + [value])
          end
        end
      end

      def self.add_tags(tags, event, _plugin = nil)
        Array(tags).each { |tag| event.tag(event.sprintf(tag)) }
      end
    end

    module Loggable
      def self.included(base)
        base.extend(self)
      end

      def logger
        @logger ||= LogStash::Logger.new(self.is_a?(Module) ? name : self.class.name)
      end
    end
  end

  # What `logger` gives: messages go to lsc's own log.
  class Logger
    LEVELS = { fatal: 0, error: 1, warn: 2, info: 3, debug: 4, trace: 5 }.freeze

    def initialize(name)
      @component = name.to_s.downcase.gsub("::", ".")
    end

    LEVELS.each do |level, number|
      define_method(level) do |message = nil, details = nil, &block|
        next nil unless Native.log?(@component, number)
        message = block.call if message.nil? && block
        Native.log(@component, number, message.to_s, details ? details.inspect : nil)
      end
      define_method(:"#{level}?") { Native.log?(@component, number) }
    end
  end

  module Logging
    Logger = LogStash::Logger
  end

  def self.logger
    @logger ||= Logger.new("logstash")
  end

  module Filters
    # Hands an event made by code to the engine; passed to code as `new_event_block`.
    EMIT = proc { |event| Native.emit(event) }

    # Whether code may use an event after its turn: it does more with the variable than call
    # methods of the event. Only then a copy is left to the code, which costs time.
    module Keeping
      AST = RubyVM::AbstractSyntaxTree
      GIVE_THEMSELVES = %i[itself tap then yield_self instance_eval instance_exec method].freeze
      RUN_LATER = %i[lambda proc new start fork define_method define_singleton_method
                     at_exit].freeze

      # The code of a setting, where the variable is `event`.
      def self.in_code?(code)
        kept?(parse("event = new_event_block = nil\n#{code}"), :event)
      end

      # A script file, by its method `filter`.
      def self.in_script?(text)
        method = find(parse(text)) do |node|
          %i[DEFN DEFS].include?(node.type) && node.children.include?(:filter)
        end
        return true unless method # made in another way
        variables, _, body = method.children.last.children
        kept?(body, variables.first, true)
      end

      def self.parse(text)
        verbose, $VERBOSE = $VERBOSE, nil
        AST.parse(text)
      ensure
        $VERBOSE = verbose
      end

      # `result`: the node's value is what the method gives back; an event in a list there is not
      # kept.
      def self.kept?(node, name, result = false)
        return false unless node.is_a?(AST::Node)
        return true if variable?(node, name)
        return true if runs_later?(node) && find(node) { |inside| variable?(inside, name) }
        return !find(node) { |n| %i[IVAR GVAR CVAR].include?(n.type) }.nil? if emits?(node)
        left = node.children
        left = left.drop(1) if asks?(node, name)
        left = left.reject { |child| variable?(child, name) } if result && node.type == :LIST
        left.each_with_index.any? { |child, i| kept?(child, name, result?(node, i, result)) }
      end

      # Whether the i-th child of a node is a result, which the node itself is or is not.
      def self.result?(node, i, result)
        case node.type
        when :RETURN then true
        when :BLOCK then result && i == node.children.size - 1
        when :IF, :UNLESS then result && i > 0
        else false
        end
      end

      def self.find(node, &block)
        return nil unless node.is_a?(AST::Node)
        return node if block.call(node)
        node.children.each do |child|
          found = find(child, &block)
          return found if found
        end
        nil
      end

      def self.variable?(node, name)
        node.is_a?(AST::Node) && %i[LVAR DVAR].include?(node.type) && node.children.first == name
      end

      # A call of a method of the event.
      def self.asks?(node, name)
        %i[CALL QCALL OPCALL ATTRASGN].include?(node.type) && variable?(node.children[0], name) &&
          !GIVE_THEMSELVES.include?(node.children[1])
      end

      def self.emits?(node)
        node.type == :CALL && variable?(node.children[0], :new_event_block)
      end

      def self.runs_later?(node)
        return true if node.type == :LAMBDA
        return false unless node.type == :ITER
        RUN_LATER.any? { |method| node.children.first.children.include?(method) }
      end
    end

    # What lsc calls: lsc_open(options), lsc_filter(event), lsc_flush(final), lsc_close. lsc_filter
    # gives true (it matched), nil (nothing was done) or a text: what went wrong.
    class Base
      attr_reader :id, :logger, :config

      def lsc_prepare(options)
        @config = @params = options
        @id = options["id"]
        @logger = LogStash::Logger.new(self.class.name)
        @lsc_check_only = options.delete("check_only")
        options.each { |name, value| instance_variable_set("@#{name}", value) }
      end

      # For code written for Logstash: lsc applies the common options itself.
      def filter_matched(_event); end

      def lsc_describe(error)
        place = error.backtrace&.find { |line| line.match?(/\A\((ruby|aggregate)|\.rb:/) }
        place = place[/\A(.*?:\d+)/, 1] if place
        "#{error.class}: #{error.message}#{" at #{place}" if place}"
      end

      # What code is evaluated in: no local variables, self is the filter.
      def lsc_binding
        binding
      end

      # After lsc_open: whether code may use events after their turn.
      def lsc_keeps?
        @lsc_keeps
      end

      def lsc_flush(_final)
        []
      end

      def lsc_close; end
    end

    class Ruby < Base
      class ScriptError < StandardError; end

      def lsc_open(options)
        lsc_prepare(options)
        if @path
          @script = Script.new(@path, @script_params || {}, @logger)
          @script.open(@lsc_check_only) # its tests are run either way
          @lsc_keeps = @script.keeps?
        else
          lsc_init if @init
          lsc_define(@code)
          @lsc_keeps = Keeping.in_code?(@code)
        end
      end

      def lsc_init
        RubyVM::InstructionSequence.compile(@init, "(ruby filter init)")
        eval(@init, lsc_binding, "(ruby filter init)") unless @lsc_check_only
      rescue StandardError, LoadError => e
        line = e.backtrace.find { |place| place.start_with?("(ruby filter init)") }
        raise ConfigurationError, "(ruby filter init):#{line[/:(\d+)/, 1] if line}: " \
                                  "#{e.class}: #{e.message}"
      end

      # Not a `def`: there, code could not assign constants.
      def lsc_define(code)
        eval("define_singleton_method(:lsc_code) do |event, &new_event_block|\n#{code}\nend",
             lsc_binding, "(ruby filter code)", 0)
      end

      def lsc_filter(event)
        if @script
          lsc_script(event)
        else
          lsc_code(event, &EMIT)
        end
        true
      rescue Exception => e
        lsc_tag(event, e)
        lsc_describe(e)
      end

      def lsc_script(event)
        results = @script.execute(event)
        Ruby.check_result_events!(results)
        kept = false
        results.each do |result|
          if result.equal?(event)
            kept = true
          else
            Native.emit(result)
          end
        end
        event.cancel unless kept
      end

      def lsc_tag(event, error)
        event.tag("#{@tag_on_exception}: #{error.message}") if @tag_with_exception_message
        event.tag(@tag_on_exception)
      rescue StandardError
        nil # an event whose [tags] cannot hold it
      end

      def self.check_result_events!(results)
        raise "the script's 'filter' returned #{results.inspect}, not an array of events" unless
          results.is_a?(Array)
        stranger = results.find { |result| !result.is_a?(LogStash::Event) }
        raise "the script's 'filter' returned #{stranger.inspect}, which is no event" if stranger
      end

      # A script file: `register` and `filter`, and blocks `test` that run when it is loaded.
      class Script
        def initialize(path, params, logger)
          @path = path
          @params = params
          @logger = logger
          @text = File.read(path, encoding: "UTF-8")
        end

        def open(check_only)
          @context = load_context
          run_tests(check_only)
          @context.register(@params) if !check_only && @context.respond_to?(:register)
        end

        def execute(event)
          @context.filter(event)
        end

        def keeps?
          Keeping.in_script?(@text)
        end

        def load_context
          context = Context.new(@logger)
          context.instance_eval(@text, @path, 1)
          raise ScriptError, "#{@path} does not define filter(event)" unless
            context.singleton_methods.include?(:filter)
          context
        end

        def run_tests(quiet)
          results = @context.lsc_tests.flat_map { |test| test.run(load_context) }
          return if results.empty?
          failed = results.reject { |_, problem| problem.nil? }
          @logger.info("Test run complete", script_path: @path,
                                            results: { passed: results.size - failed.size,
                                                       failed: failed.size }) unless quiet
          return if failed.empty?
          raise ScriptError, "tests of #{@path} failed: " +
                             failed.map { |name, problem| "#{name}#{problem}" }.join("; ")
        end
      end

      # What a script file is evaluated in; its @variables are kept here.
      class Context
        attr_reader :logger, :lsc_tests

        def initialize(logger)
          @logger = logger
          @lsc_tests = []
        end

        def test(name, &block)
          @lsc_tests << Test.new(name, block)
        end
      end

      class Test
        def initialize(name, block)
          @name = name
          @parameters = proc { {} }
          @expects = []
          instance_eval(&block)
        end

        def parameters(&block)
          @parameters = block
        end

        def in_event(&block)
          @in_event = block
        end
        alias in_events in_event

        def expect(name, &block)
          @expects << [name, block]
        end

        # Pairs of a name and what was wrong, nil when nothing was.
        def run(context)
          context.register(@parameters.call) if context.respond_to?(:register)
          results = input.flat_map { |event| execute(context, event) }
          @expects.map { |name, block| [full(name), check(block, results)] }
        rescue StandardError => e
          [[full("run"), " raised #{e.class}: #{e.message}"]]
        end

        def execute(context, event)
          results = context.filter(event)
          Ruby.check_result_events!(results)
          results
        end

        def input
          raise ScriptError, "the test has no in_event" unless @in_event
          given = @in_event.call
          (given.is_a?(Array) ? given : [given]).map do |one|
            one.is_a?(LogStash::Event) ? one : LogStash::Event.new(one)
          end
        end

        def check(block, results)
          block.call(results) ? nil : " did not hold"
        rescue StandardError => e
          " raised #{e.class}: #{e.message}"
        end

        def full(name)
          "\"#{@name}\": \"#{name}\""
        end
      end
    end
  end
end

# Files of Logstash that code may require.
%w[event timestamp json util util/decorators util/loggable namespace errors logging
   logging/logger environment filters/base].each do |name|
  $LOADED_FEATURES << "logstash/#{name}.rb"
end
