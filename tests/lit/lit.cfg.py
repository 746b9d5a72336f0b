import os
import lit.formats

config.name = 'attnc'
config.test_format = lit.formats.ShTest(True)
config.suffixes = ['.mlir']
config.test_source_root = os.path.dirname(__file__)
config.environment['PATH'] = config.llvm_tools + os.pathsep + config.environment['PATH']
config.substitutions.append(('attnc-opt', config.attnc_opt))
